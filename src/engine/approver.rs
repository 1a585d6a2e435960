//! Who may decide at a gate, and what is known of them.
//!
//! **Invariant:** outside the simulator only what AWS says of a person counts; a name that they chose
//! themselves never does.

use crate::journal::Person;

/// Roles of IAM Identity Center: AWS sets the session's name there, so that it says who it is.
const SINGLE_SIGN_ON: &str = "AWSReservedSSO_";

/// Whether `person` is one of `approvers`; nobody named means anybody. A name stands for an ARN, a user's
/// name, a role's name, `ROLE/SESSION`, or the user's name of IAM Identity Center. In the simulator
/// (`simulated`), where nobody proves who they are, the declared name counts.
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

/// What an ARN may be called by. Whoever assumes a role chooses the name of the session, so that alone it
/// proves nothing.
fn names_of(arn: &str) -> Vec<&str> {
    let mut names = vec![arn];
    let Some(resource) = arn.splitn(6, ':').nth(5) else { return names };
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
    fn declared_names_count_in_the_simulator_only() {
        let (bob, approvers) = (Person::declared("bob"), ["ann".to_owned(), "bob".to_owned()]);
        assert!(may_decide(&bob, &approvers, true) && !may_decide(&bob, &approvers, false));
        assert!(!may_decide(&Person::declared("eve"), &approvers, true));
        assert!(refusal(&bob, &approvers, false).contains("AWS did not say who bob is"));
        assert!(refusal(&Person::declared("eve"), &approvers, true).contains("none of them"));
    }
}
