//! The gate in front of HTTP servers, DNS resolvers and programs.
//!
//! **Invariant:** what the record names is what the port was asked for, with its secrets hidden.

use super::{DNS_READ, EffectError, Effects, HTTP_READ, HTTP_SEND, PROCESS_RUN};
use crate::base::redact::redact;
use crate::cloud::dns::{DnsAnswer, DnsQuestion};
use crate::cloud::http::{HttpAnswer, HttpMethod, HttpRequest};
use crate::cloud::process::{Command, Finished};

impl Effects {
    /// Sends an HTTP request. GET and HEAD are declared reads ([`HTTP_READ`]); every other method needs
    /// [`HTTP_SEND`].
    ///
    /// # Errors
    /// Refused by the gate, or no answer.
    pub async fn http(&self, request: &HttpRequest) -> Result<HttpAnswer, EffectError> {
        let name = match request.method {
            HttpMethod::Get | HttpMethod::Head => HTTP_READ,
            HttpMethod::Post => HTTP_SEND,
        };
        let effect = format!("{} {}", request.method.name(), request.address);
        self.pass(&effect, &[name])?;
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
