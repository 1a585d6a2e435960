//! The real HTTP stack against a server that is not there, or that hangs up.
//!
//! **Invariant:** loopback only, one attempt a call, so that nothing waits.

use crate::base::clock::{Clock, simulated_epoch};
use crate::base::seed::Seed;
use crate::cloud::model::{RestoreRequest, RestoreSource};
use crate::cloud::tests::scripted::{REGION, environment, tags};
use crate::cloud::{Cloud, CloudError, CloudOptions, ErrorClass, GuardPolicy, HttpSource};
use crate::estate::EnvironmentKind;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A restore through the real HTTP stack at `address`.
async fn restore_at(address: &str) -> CloudError {
    let mut environment = environment();
    let endpoint = ("default".to_owned(), format!("http://{address}"));
    environment.kind = EnvironmentKind::Endpoints(BTreeMap::from([endpoint]));
    let cloud = Cloud::open(CloudOptions {
        environment,
        clock: Clock::real(),
        seed: Seed::new(1),
        http: HttpSource::Network,
        policy: GuardPolicy::live(["rds:RestoreDBInstanceToPointInTime"]),
    });
    let cloud = cloud.await.expect("a valid environment");
    let request = RestoreRequest {
        from: RestoreSource::Instant { instance: "orders".to_owned(), at: simulated_epoch() },
        target: "drctl-a".to_owned(),
        class: None,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: None,
        option_group: None,
        multi_az: false,
        deletion_protection: false,
        log_exports: Vec::new(),
        iam_authentication: false,
        copy_tags_to_snapshot: false,
        tags: tags(),
    };
    let writer = cloud.writer().expect("a live session");
    writer.restore(REGION, &request).await.expect_err("nobody carries it out")
}

/// Serves one connection with `answer` on a thread of its own.
fn serve_once(answer: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            answer(stream);
        }
    });
    address
}

fn read_some(stream: &mut TcpStream) {
    let mut buffer = [0; 16 * 1024];
    let read = stream.read(&mut buffer).expect("a request");
    assert!(read > 0);
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let failed = restore_at(&address).await;
    assert_eq!(failed.class, ErrorClass::Unreachable, "{failed}");
    assert!(failed.message.contains("Connection refused"), "{failed}");
}

#[tokio::test]
async fn a_server_that_hangs_up_leaves_a_write_in_doubt() {
    let address = serve_once(|mut stream| read_some(&mut stream));
    let failed = restore_at(&address).await;
    assert_eq!(failed.class, ErrorClass::InDoubt, "{failed}");
}

#[tokio::test]
async fn an_answer_that_is_cut_leaves_a_write_in_doubt() {
    let address = serve_once(|mut stream| {
        read_some(&mut stream);
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n<RestoreDBInst";
        stream.write_all(cut.as_bytes()).expect("written");
    });
    let failed = restore_at(&address).await;
    assert_eq!(failed.class, ErrorClass::InDoubt, "{failed}");
}
