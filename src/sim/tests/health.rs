//! Health checks follow the simulated world.

use crate::base::clock::Clock;
use crate::estate;
use crate::sim::tests::support::sdk;
use crate::sim::{SimOptions, Simulator, http_client};
use std::time::Duration;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders: { instance: shop-orders, multi_az: true }
  west: { instance: shop-west, region: us-west-2, replica_of: orders }
services:
  api: { cluster: shop, task_definition: "api:2", desired: 2, database: orders }
  api_west: { cluster: shop, region: us-west-2, task_definition: "api:2", desired: 0, database: west }
health_checks:
  east: { id: h-east, host: east.example, follows: api }
  west: { id: h-west, host: west.example, interval: 10s, follows: api_west }
zones:
  public:
    id: Z1
    name: shop.example
    records:
      east: { name: api.shop.example, type: A, values: [192.0.2.1], set_identifier: e, weight: 100, health_check: east }
      west: { name: api.shop.example, type: A, values: [192.0.2.2], set_identifier: w, weight: 0, health_check: west }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3, allowed_regions: [us-west-2] }
"#;

struct Lab {
    simulator: Simulator,
    clock: Clock,
    ecs: aws_sdk_ecs::Client,
    west: aws_sdk_ecs::Client,
    rds_west: aws_sdk_rds::Client,
}

impl Lab {
    fn new() -> Self {
        let estate =
            estate::load("shop.yaml", ESTATE).unwrap_or_else(|problems| panic!("{problems}"));
        let options = SimOptions { seed: None, faults: Vec::new() };
        let simulator = Simulator::create(&estate, &estate.environments["sim"], options);
        let simulator = simulator.expect("a world");
        let clock = Clock::virtual_from(simulator.time());
        let config = sdk(http_client(simulator.clone(), clock.clone(), None), &clock, 1);
        let far = config.to_builder().region(aws_types::region::Region::from_static("us-west-2"));
        let far = far.build();
        Self {
            ecs: aws_sdk_ecs::Client::new(&config),
            west: aws_sdk_ecs::Client::new(&far),
            rds_west: aws_sdk_rds::Client::new(&far),
            simulator,
            clock,
        }
    }

    fn answer(&self) -> String {
        let answer = self.simulator.answer_dns("api.shop.example", "A", self.clock.now());
        answer.expect("a name").sets.pop().expect("a record").values.remove(0)
    }

    /// Seconds until the name is answered with `value`, at most `most`.
    async fn until(&self, value: &str, most: u64) -> u64 {
        for second in 0..most {
            if self.answer() == value {
                return second;
            }
            self.clock.sleep(Duration::from_secs(1)).await;
        }
        panic!("after {most} s it is still {}", self.answer());
    }
}

#[tokio::test(start_paused = true)]
async fn traffic_moves_by_itself_when_a_region_has_no_tasks_and_back() {
    let lab = Lab::new();
    assert_eq!(lab.answer(), "192.0.2.1");
    // The far side comes up first: tasks alone are not enough, its database is a replica.
    let scale = |client: &aws_sdk_ecs::Client, service: &str, to: i32| {
        client.update_service().cluster("shop").service(service).desired_count(to).send()
    };
    scale(&lab.west, "api_west", 2).await.expect("scaled");
    lab.clock.sleep(Duration::from_secs(600)).await;
    scale(&lab.ecs, "api", 0).await.expect("scaled");
    lab.clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(lab.answer(), "192.0.2.1", "nothing is healthy: all of it counts as healthy");
    lab.rds_west
        .promote_read_replica()
        .db_instance_identifier("shop-west")
        .send()
        .await
        .expect("promoted");
    let took = lab.until("192.0.2.2", 1_200).await;
    assert!(took >= 20, "three requests of ten seconds after the promotion, not {took} s");
    scale(&lab.ecs, "api", 2).await.expect("scaled");
    let back = lab.until("192.0.2.1", 1_200).await;
    assert!(back >= 60, "three requests of thirty seconds after the tasks, not {back} s");
}
