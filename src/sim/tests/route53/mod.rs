//! Route 53 as its SDK client and resolvers see it.

mod answers;
mod changes;

use super::support::sdk;
use crate::base::clock::Clock;
use crate::estate::{self, Estate};
use crate::sim::{SimDnsEnd, SimOptions, Simulator, http_client};
use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use std::time::Duration;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases: { orders: { instance: shop-orders, multi_az: true }, west: { instance: shop-west, region: us-west-2, replica_of: orders } }
health_checks:
  east: { id: 11111111-0000-4000-8000-000000000001, host: east.shop.example, path: /health }
  west: { id: 11111111-0000-4000-8000-000000000002, host: west.shop.example, inverted: true, interval: 10s }
zones:
  public:
    id: Z0SHOP1
    name: shop.example
    records:
      east: { name: api.shop.example, type: A, values: [192.0.2.1], set_identifier: east, weight: 100, health_check: east }
      west: { name: api.shop.example, type: A, values: [192.0.2.2], set_identifier: west, weight: 0 }
      first: { name: fo.shop.example, type: A, values: [192.0.2.3], set_identifier: p, failover: PRIMARY, health_check: west }
      second: { name: fo.shop.example, type: A, values: [192.0.2.4], set_identifier: s, failover: SECONDARY }
      db: { name: db.shop.example, type: CNAME, ttl: 30, database: orders }
      www: { name: www.shop.example, type: A, alias: { zone: Z0SHOP1, name: api.shop.example } }
      text: { name: "*.shop.example", type: TXT, ttl: 300, values: ['"v=spf1 -all"'] }
      mail: { name: shop.example, type: MX, values: ["10 mx.shop.example."] }
  inner: { id: Z0INNER, name: inner.example, private: true }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3, dns: { lb.example: { a: 198.51.100.7 } } }
"#;

fn estate_file() -> Estate {
    estate::load("shop.yaml", ESTATE).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A world and its client. Every call is a second after the one before, as the account's limit asks.
struct Lab {
    simulator: Simulator,
    clock: Clock,
    client: aws_sdk_route53::Client,
}

impl Lab {
    fn new(faults: &[&str]) -> Self {
        fastrand::seed(7);
        let estate = estate_file();
        let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
        let options = SimOptions { seed: None, faults };
        let simulator = Simulator::create(&estate, &estate.environments["sim"], options);
        let simulator = simulator.expect("a world");
        let clock = Clock::virtual_from(simulator.time());
        let config = sdk(http_client(simulator.clone(), clock.clone(), None), &clock, 1);
        Self { client: aws_sdk_route53::Client::new(&config), simulator, clock }
    }

    async fn calm(&self) -> &aws_sdk_route53::Client {
        self.clock.sleep(Duration::from_secs(1)).await;
        &self.client
    }

    async fn sleep(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// The sets of a name, in the API's words.
    async fn sets(&self, name: &str) -> Vec<ResourceRecordSet> {
        let call = self.calm().await.list_resource_record_sets().hosted_zone_id("Z0SHOP1");
        let page = call.start_record_name(name).send().await.expect("a zone");
        let wanted = format!("{name}.");
        page.resource_record_sets().iter().filter(|set| set.name() == wanted).cloned().collect()
    }

    /// Sends a batch; gives the change's id, or code and message.
    async fn change(&self, changes: Vec<Change>) -> Result<String, (String, String)> {
        let batch =
            ChangeBatch::builder().set_changes(Some(changes)).comment("t").build().expect("whole");
        let call =
            self.calm().await.change_resource_record_sets().hosted_zone_id("/hostedzone/Z0SHOP1");
        match call.change_batch(batch).send().await {
            Ok(answer) => Ok(answer.change_info().expect("always").id().to_owned()),
            Err(error) => Err((
                error.code().unwrap_or_default().to_owned(),
                error.message().unwrap_or_default().to_owned(),
            )),
        }
    }

    /// What name servers answer: the values of the last set.
    fn answers(&self, name: &str, kind: &str) -> Vec<String> {
        let answer = self.simulator.answer_dns(name, kind, self.clock.now()).expect("a name");
        answer.sets.last().map(|set| set.values.clone()).unwrap_or_default()
    }

    fn end(&self, name: &str, kind: &str) -> SimDnsEnd {
        self.simulator.answer_dns(name, kind, self.clock.now()).expect("a name").end
    }
}

fn set(name: &str, kind: RrType, ttl: i64, values: &[&str]) -> ResourceRecordSet {
    let values = values.iter().map(|value| ResourceRecord::builder().value(*value).build());
    let values = values.collect::<Result<Vec<_>, _>>().expect("values");
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(ttl);
    set.set_resource_records(Some(values)).build().expect("whole")
}

fn item(action: ChangeAction, set: ResourceRecordSet) -> Change {
    Change::builder().action(action).resource_record_set(set).build().expect("whole")
}

fn create(set: ResourceRecordSet) -> Change {
    item(ChangeAction::Create, set)
}

fn delete(set: ResourceRecordSet) -> Change {
    item(ChangeAction::Delete, set)
}
