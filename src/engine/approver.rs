//! Who may decide at a gate, and what is known of them.
//!
//! **Invariant:** outside the simulator only what AWS says of a person counts. A name that they chose
//! themselves never counts alone, and never makes one person two.

use crate::journal::Person;
use crate::journal::fold::{Approval, StepState};
use crate::plan::model::{GateKind, PlannedStep};

/// Roles of IAM Identity Center: AWS sets the session's name there, so that it says who it is.
const SINGLE_SIGN_ON: &str = "AWSReservedSSO_";

/// Whether `person` is one of `approvers`; nobody named means anybody. A name stands for an ARN, a user's
/// name, a role's name, `ROLE/SESSION`, or the user's name of IAM Identity Center. Who may assume a role
/// chooses the session's name, unless the role's trust policy asks for `sts:RoleSessionName`. In the
/// simulator (`simulated`), where nobody proves who they are, the declared name counts.
pub fn may_decide(person: &Person, approvers: &[String], simulated: bool) -> bool {
    if approvers.is_empty() {
        return true;
    }
    let mut names = person.identity.as_deref().map(names_of).unwrap_or_default();
    if simulated {
        names.push(&person.operator);
    }
    approvers.iter().any(|approver| names.contains(&approver.as_str()))
}

/// The last approval that the person gave, in whichever session, if it counts.
pub fn approval_by<'a>(found: &'a StepState, person: &Person) -> Option<&'a Approval> {
    found.approvals.iter().rev().find(|one| one_person(&one.by) == one_person(person))
}

/// Whether a gate is for named people, for more than one, or before what cannot be taken back, so that
/// nobody goes around it.
pub fn is_reserved(planned: &PlannedStep, found: &StepState) -> bool {
    if !planned.before.is_empty() {
        return true;
    }
    let asked = found.gate.as_ref().map(|(gate, _)| gate);
    if asked.is_some_and(|gate| !gate.approvers.is_empty() || gate.approvals > 1) {
        return true;
    }
    if planned.gate != Some(GateKind::Person) {
        return false;
    }
    // What is known only in the run may be anything.
    let written = |name: &str| planned.with.get(name).filter(|value| !value.is_null());
    let people = written("approvers");
    people.is_some_and(|value| value.as_array().is_none_or(|names| !names.is_empty()))
        || written("approvals").is_some_and(|value| value.as_u64() != Some(1))
}

/// What tells two people apart: their identity without what they choose themselves, else the name.
pub(super) fn one_person(person: &Person) -> &str {
    const ASSUMED: &str = ":assumed-role/";
    const FEDERATED: &str = ":federated-user/";
    let Some(arn) = person.identity.as_deref() else { return &person.operator };
    if let Some((before, rest)) = arn.split_once(ASSUMED) {
        let role = rest.split('/').next().unwrap_or_default();
        let end = before.len() + ASSUMED.len() + role.len();
        return if role.starts_with(SINGLE_SIGN_ON) { arn } else { &arn[..end] };
    }
    match arn.find(FEDERATED) {
        Some(at) => &arn[..at + FEDERATED.len()],
        None => arn,
    }
}

/// What an ARN may be called by. Whoever assumes a role chooses the name of the session, so that alone it
/// proves nothing; neither does the name of a federated user, which any user may choose.
fn names_of(arn: &str) -> Vec<&str> {
    let mut names = vec![arn];
    let Some(resource) = arn.splitn(6, ':').nth(5) else { return names };
    if resource.starts_with("federated-user/") {
        return Vec::new();
    }
    if let Some(assumed) = resource.strip_prefix("assumed-role/") {
        names.push(assumed);
        let mut parts = assumed.split('/');
        let (role, session) = (parts.next().unwrap_or_default(), parts.next_back());
        names.push(role);
        names.extend(session.filter(|_| role.starts_with(SINGLE_SIGN_ON)));
    } else if let Some((_, name)) = resource.rsplit_once('/') {
        names.push(name);
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Why `person` may not decide, and what would help.
pub(super) fn refusal(person: &Person, approvers: &[String], simulated: bool) -> String {
    let asked = approvers.join(", ");
    match &person.identity {
        None if !simulated => format!(
            "it is to be decided by {asked}, and AWS did not say who {} is: use credentials of the \
             environment's account",
            person.operator
        ),
        None | Some(_) => format!("it is to be decided by {asked}, and {person} is none of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven(arn: &str) -> Person {
        Person { operator: "mallory".to_owned(), identity: Some(arn.to_owned()) }
    }

    fn may(person: &Person, approver: &str) -> bool {
        may_decide(person, &[approver.to_owned()], false)
    }

    #[test]
    fn a_person_goes_by_what_aws_says_of_them() {
        let user = proven("arn:aws:iam::111122223333:user/ops/bob");
        let role = proven("arn:aws:sts::111122223333:assumed-role/dba/bob");
        let single =
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dba_0a1b/bob@example.com";
        for (person, names) in [
            (&user, &["bob", "arn:aws:iam::111122223333:user/ops/bob"][..]),
            (&role, &["dba", "dba/bob", "arn:aws:sts::111122223333:assumed-role/dba/bob"]),
            (&proven(single), &["bob@example.com", "AWSReservedSSO_Dba_0a1b", single]),
        ] {
            for name in names {
                assert!(may(person, name), "{person} {name}");
            }
        }
        // The session's name is chosen by whoever assumes the role.
        for (person, name) in [
            (&role, "bob"),
            (&user, "ops"),
            (&user, "mallory"),
            (&user, "BOB"),
            (&user, ""),
            (&user, "user"),
            (&proven("nonsense"), "mallory"),
            (&proven("arn:aws:sts::1:assumed-role/"), ""),
        ] {
            assert!(!may(person, name), "{person} {name}");
        }
        assert!(may_decide(&user, &[], false));
    }

    #[test]
    fn a_federated_user_is_nobody_by_name() {
        let arn = "arn:aws:sts::111122223333:federated-user/bob";
        assert!(!may(&proven(arn), "bob") && !may(&proven(arn), arn));
        assert!(may_decide(&proven(arn), &[], false));
    }

    #[test]
    fn what_people_choose_themselves_makes_no_second_person() {
        let sts = |resource: &str| proven(&format!("arn:aws:sts::111122223333:{resource}"));
        let same = |a: &str, b: &str| one_person(&sts(a)) == one_person(&sts(b));
        assert!(same("assumed-role/dba/s1", "assumed-role/dba/s2"));
        assert!(same("federated-user/ann", "federated-user/bob"));
        assert!(!same("assumed-role/dba/s1", "assumed-role/dba2/s1"));
        let single = "assumed-role/AWSReservedSSO_D_1";
        assert!(!same(&format!("{single}/ann"), &format!("{single}/bob")));
        assert!(!same("user/ann", "user/bob"));
        assert_eq!(one_person(&Person::declared("ann")), "ann");
    }

    #[test]
    fn declared_names_count_in_the_simulator_only() {
        let (bob, approvers) = (Person::declared("bob"), ["ann".to_owned(), "bob".to_owned()]);
        assert!(may_decide(&bob, &approvers, true) && !may_decide(&bob, &approvers, false));
        assert!(!may_decide(&Person::declared("eve"), &approvers, true));
        assert!(refusal(&bob, &approvers, false).contains("AWS did not say who bob is"));
        assert!(refusal(&Person::declared("eve"), &approvers, true).contains("none of them"));
    }
}
