//! The gate in front of HTTP servers, DNS resolvers and programs.
//!
//! **Invariant:** what the record names is what the port was asked for, with its secrets hidden; of a
//! request that is redirected every hop passes here, and in a dry run nothing that could log in does.

use super::{DNS_READ, EffectError, EffectOutcome, Effects, HTTP_READ, HTTP_SEND, PROCESS_RUN};
use crate::base::redact::redact;
use crate::cloud::dns::{DnsAnswer, DnsQuestion};
use crate::cloud::http::{HttpAnswer, HttpError, HttpMethod, HttpRequest};
use crate::cloud::process::{Command, Finished};
use std::time::Duration;

impl Effects {
    /// Sends an HTTP request and follows as many redirects as it asks for. GET and HEAD are declared
    /// reads ([`HTTP_READ`]); every other method needs [`HTTP_SEND`]. A dry run follows no redirect: its
    /// certificate names every call, and one call that was planned is one call.
    ///
    /// # Errors
    /// Refused by the gate (in a dry run also whatever could log in), no answer, or too many redirects.
    pub async fn http(&self, request: &HttpRequest) -> Result<HttpAnswer, EffectError> {
        let mut hop = request.clone();
        if self.policy.is_dry_run() {
            hop.redirects = 0;
        }
        let (mut took, mut followed) = (Duration::ZERO, 0);
        loop {
            let answer = self.hop(&hop).await?;
            took += answer.took;
            let Some(next) = hop.onward(&answer)? else {
                return Ok(HttpAnswer { took, ..answer });
            };
            let place = hop.address.to_string();
            if followed == request.redirects {
                let why = format!("more than {followed} redirects");
                return Err(HttpError::Redirect { place, why }.into());
            }
            followed += 1;
            hop = next;
            // The time-out is that of all hops together.
            hop.timeout = request.timeout.saturating_sub(took);
            if hop.timeout.is_zero() {
                return Err(HttpError::Timeout { place, limit: request.timeout }.into());
            }
        }
    }

    /// One request, without redirects.
    async fn hop(&self, request: &HttpRequest) -> Result<HttpAnswer, EffectError> {
        let name = match request.method {
            HttpMethod::Get | HttpMethod::Head => HTTP_READ,
            HttpMethod::Post => HTTP_SEND,
        };
        let effect = format!("{} {}", request.method.name(), request.address);
        self.pass(&effect, &[name])?;
        let logs_in = match (request.headers.is_empty(), request.address.has_secret()) {
            (false, _) => Some("headers of the step"),
            (true, true) => Some("a secret in its address"),
            (true, false) => None,
        };
        if let Some(what) = logs_in.filter(|_| self.policy.is_dry_run()) {
            let effect = format!("{effect} with {what}");
            self.record(name, effect.clone(), EffectOutcome::Refused);
            return Err(EffectError::DryRunRefused { effect });
        }
        let answer = self.ports.http.send(request).await.map_err(EffectError::Http);
        self.settle(name, effect, answer)
    }

    /// Asks a DNS resolver.
    ///
    /// # Errors
    /// Refused by the gate, or no usable answer. That a name does not exist is an answer.
    pub async fn dns(&self, question: &DnsQuestion) -> Result<DnsAnswer, EffectError> {
        let DnsQuestion { name, kind, resolver, .. } = question;
        let effect = format!("{} {} at {resolver}", kind.name(), redact(name));
        self.pass(&effect, &[DNS_READ])?;
        let answer = self.ports.dns.ask(question).await.map_err(EffectError::Dns);
        self.settle(DNS_READ, effect, answer)
    }

    /// Starts a program and waits for its end.
    ///
    /// # Errors
    /// Refused by the gate, or the program did not run to its end.
    pub async fn process(&self, command: &Command) -> Result<Finished, EffectError> {
        let effect = format!("start of {}", redact(&command.to_string()));
        self.pass(&effect, &[PROCESS_RUN])?;
        let ended = self.ports.processes.run(command).await.map_err(EffectError::Process);
        self.settle(PROCESS_RUN, effect, ended)
    }
}
