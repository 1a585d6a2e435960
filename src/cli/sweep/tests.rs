//! Sweeps over a scripted wire: real SDK clients, the real guard, answers by hand.

use super::find::find;
use super::judge::{Grounds, Judgement, Resource};
use super::remove::{DECLARED, Removal, Sweeper};
use crate::base::clock::simulated_epoch;
use crate::base::ids::{StepKey, rds_name};
use crate::cloud::tags::Marks;
use crate::cloud::tests::answers::{error, instance, instances, ok, snapshot, snapshots};
use crate::cloud::tests::ports::{World, ports};
use crate::cloud::tests::scripted::{REGION, Reply, Script, run};
use crate::cloud::{GuardPolicy, Overlay, SqlConnector, SqlError, SqlSession, SqlTarget};
use async_trait::async_trait;
use chrono::TimeDelta;
use std::sync::Arc;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases: { orders: { instance: orders, security_groups: [sg-1] } }
environments:
  test: { type: simulated, account: "123456789012", region: us-east-1, seed: 1 }
"#;

#[derive(Debug)]
struct NoSql;

#[async_trait]
impl SqlConnector for NoSql {
    async fn connect(&self, _: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        unreachable!("a sweep speaks no SQL")
    }
}

fn marks() -> Marks {
    Marks {
        run: run(),
        step: StepKey::new("restore"),
        owner: "ada".to_owned(),
        expires: simulated_epoch() - TimeDelta::hours(1),
    }
}

fn name() -> String {
    rds_name("orders", &run(), &marks().step)
}

fn tag_list(marks: &Marks) -> String {
    let tags = marks.tags().into_iter();
    let tags =
        tags.map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"));
    format!("<TagList>{}</TagList>", tags.collect::<String>())
}

fn element(status: &str, more: &str) -> String {
    instance(&name(), status, None, &format!("{}{more}", tag_list(&marks())))
}

fn seen(status: &str) -> Reply {
    instances(&element(status, ""))
}

fn deleted() -> Reply {
    ok("DeleteDBInstance", &element("deleting", ""))
}

fn gone() -> Reply {
    error(404, "DBInstanceNotFound", "not found")
}

fn grounds() -> Grounds {
    Grounds { now: simulated_epoch(), ..Grounds::default() }
}

/// Removes the instance as it was listed, while the wire answers with `replies`.
async fn removed(replies: impl IntoIterator<Item = Reply>) -> (Removal, Vec<String>) {
    let script = Script::new([seen("available")].into_iter().chain(replies));
    let cloud = script.open(GuardPolicy::live(DECLARED)).await;
    let (view, writer) = (cloud.view(Overlay::new()), cloud.writer().expect("live"));
    let effects = cloud.effects(ports(Arc::new(NoSql), &Arc::new(World::default())));
    let (estate, catalogue) =
        (crate::estate::load("shop.yaml", ESTATE).expect("valid"), crate::action::standard());
    let listed = view.db_instance(REGION, &name()).await.expect("an answer").expect("there");
    let resource = Resource::of_instance(REGION, listed).expect("ours");
    let sweeper = Sweeper {
        catalogue: &catalogue,
        view: &view,
        writer: &writer,
        effects: &effects,
        clock: &script.clock(),
        estate: &estate,
        environment: cloud.environment(),
    };
    let removal = sweeper.remove(&resource, &marks(), &grounds()).await;
    let sent = script.actions().split_off(1);
    (removal, sent)
}

fn deletions(sent: &[String]) -> usize {
    sent.iter().filter(|action| *action == "DeleteDBInstance").count()
}

/// Look, look anew, permit, look once more in the writer.
fn looks() -> [Reply; 4] {
    [seen("available"), seen("available"), seen("available"), seen("available")]
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_seen_to_its_end() {
    let replies = looks().into_iter().chain([deleted(), seen("deleting"), gone()]);
    let (removal, sent) = removed(replies).await;
    assert!(matches!(removal, Removal::Removed(took) if took.as_secs() >= 15), "{removal:?}");
    assert_eq!(deletions(&sent), 1, "{sent:?}");
    let (removal, sent) = removed([seen("deleting"), gone()]).await;
    assert!(matches!(removal, Removal::Removed(_)), "{removal:?}");
    assert_eq!(deletions(&sent), 0, "what is going already is only watched: {sent:?}");
    assert_eq!(removed([gone()]).await.0, Removal::Vanished);
}

#[tokio::test(start_paused = true)]
async fn lost_late_and_throttled_answers_are_settled_by_looking() {
    for unclear in [Reply::Lost, error(503, "ServiceUnavailable", "busy")] {
        let replies = looks().into_iter().chain([unclear, seen("deleting"), gone()]);
        let (removal, sent) = removed(replies).await;
        assert!(matches!(removal, Removal::Removed(_)), "{removal:?}");
        assert_eq!(deletions(&sent), 1, "{sent:?}");
    }
    // Throttled before it took effect, then a stale read after it did.
    let throttled = error(400, "Throttling", "Rate exceeded");
    let busy = error(400, "InvalidDBInstanceState", "is already being deleted");
    let replies = looks().into_iter().chain([throttled]).chain(looks()).chain([deleted()]);
    let replies = replies.chain(looks()).chain([busy, seen("deleting"), gone()]);
    let (removal, sent) = removed(replies).await;
    assert!(matches!(removal, Removal::Removed(_)), "{removal:?}");
    assert_eq!(deletions(&sent), 3, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_it_was_listed_stays() {
    let expires = simulated_epoch() + TimeDelta::hours(1);
    let longer = tag_list(&Marks { expires, ..marks() });
    let longer = instances(&instance(&name(), "available", None, &longer));
    let (removal, sent) = removed([seen("available"), longer]).await;
    let Removal::Stays(why) = removal else { panic!("{removal:?}") };
    assert!(why.contains("it expires at 2026-01-15T10:00:00Z"), "{why}");
    assert_eq!(deletions(&sent), 0);

    let protected = element("available", "<DeletionProtection>true</DeletionProtection>");
    let (removal, sent) = removed([seen("available"), instances(&protected)]).await;
    assert!(matches!(&removal, Removal::Stays(why) if why.contains("protected")), "{removal:?}");
    assert_eq!(deletions(&sent), 0);

    let other = instances(&instance(&name(), "available", Some("01xyz"), ""));
    let (removal, sent) = removed([other]).await;
    assert!(matches!(&removal, Removal::Left(why) if why.contains("01xyz")), "{removal:?}");
    assert_eq!(deletions(&sent), 0);
}

#[tokio::test(start_paused = true)]
async fn protection_that_comes_at_the_last_instant_is_not_taken_off() {
    let protected =
        instances(&element("available", "<DeletionProtection>true</DeletionProtection>"));
    let replies =
        [seen("available"), seen("available"), seen("available"), protected.clone(), protected];
    let (removal, sent) = removed(replies).await;
    let Removal::Refused(why) = removal else { panic!("{removal:?}") };
    assert!(why.contains("rds:ModifyDBInstance"), "{why}");
    assert!(!sent.iter().any(|action| action.starts_with("Modify")), "{sent:?}");
    assert_eq!(deletions(&sent), 0);
}

#[tokio::test(start_paused = true)]
async fn refusals_have_their_kind_and_an_end() {
    let denied = error(403, "AccessDenied", "not authorized");
    let (removal, _) = removed(looks().into_iter().chain([denied])).await;
    assert!(matches!(removal, Removal::CutOff(_)), "{removal:?}");
    let never = error(400, "InvalidParameterCombination", "cannot delete");
    let (removal, _) = removed(looks().into_iter().chain([never])).await;
    assert!(matches!(removal, Removal::Left(_)), "{removal:?}");
    let busy = || error(400, "InvalidDBInstanceState", "it is creating");
    let replies: Vec<Reply> = (0..11).flat_map(|_| looks().into_iter().chain([busy()])).collect();
    let (removal, sent) = removed(replies).await;
    let Removal::Left(why) = removal else { panic!("{removal:?}") };
    assert!(why.contains("asked 10 times") && why.contains("it is creating"), "{why}");
    assert_eq!(deletions(&sent), 10);
}

#[tokio::test(start_paused = true)]
async fn access_denied_in_one_region_does_not_hide_the_others() {
    let denied = || error(403, "AccessDenied", "not authorized");
    let shot = snapshot(&name(), "manual", "available", None, &tag_list(&marks()));
    let foreign = instance("orders", "available", None, "");
    let script = Script::new([
        denied(),
        denied(),
        instances(&format!("{foreign}{}", element("available", ""))),
        snapshots(&shot),
    ]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let regions = ["us-east-1".to_owned(), "us-west-2".to_owned()];
    let view = cloud.view(Overlay::new());
    let found = find(&view, &script.clock(), &regions, &grounds()).await;
    let unread: Vec<&str> = found.unread.iter().map(|(region, _)| region.as_str()).collect();
    assert_eq!(unread, ["us-east-1", "us-east-1"]);
    let listed: Vec<_> = found.resources.iter().map(|(one, _)| (&*one.region, &*one.id)).collect();
    assert_eq!(listed, [("us-west-2", &*name()), ("us-west-2", &*name())]);
    assert!(found.resources.iter().all(|(_, found)| *found == Judgement::Remove(marks())));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_throttled_is_asked_again_and_not_for_ever() {
    let throttled = || error(400, "Throttling", "Rate exceeded");
    let region = [REGION.to_owned()];
    let script = Script::new([throttled(), instances(&element("available", "")), snapshots("")]);
    let cloud = script.open(GuardPolicy::DryRun).await;
    let view = cloud.view(Overlay::new());
    let found = find(&view, &script.clock(), &region, &grounds()).await;
    assert_eq!((found.resources.len(), found.unread.len()), (1, 0));
    let script = Script::new((0..100).map(|_| throttled()));
    let cloud = script.open(GuardPolicy::DryRun).await;
    let view = cloud.view(Overlay::new());
    let found = find(&view, &script.clock(), &region, &grounds()).await;
    assert_eq!((found.resources.len(), found.unread.len()), (0, 2));
    assert!(script.sent().len() < 100, "it gave up");
}
