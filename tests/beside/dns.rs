//! DNS servers on loopback, some of them hostile.
//!
//! **Invariant:** the servers put their packets together by themselves: no library that the client uses
//! helps them.

use drctl::base::clock::Clock;
use drctl::cloud::ErrorClass;
use drctl::cloud::dns::{
    DnsAnswer, DnsError, DnsNetwork, DnsQuestion, DnsRecord, RecordKind, ResolverName,
    Resolvers as _,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

/// A record: type, time to live, data.
type Record = (u16, u32, Vec<u8>);

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;

/// What a server sends for a query; nothing when empty.
type Act = fn(&[u8]) -> Vec<u8>;

async fn server(act: Act) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut buffer = [0_u8; 2_048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let answer = act(&buffer[..length]);
            if !answer.is_empty() {
                let _ = socket.send_to(&answer, peer).await;
            }
        }
    });
    address
}

/// The question of a query: the name and four bytes of type and class.
fn question(query: &[u8]) -> &[u8] {
    let end = query[12..].iter().position(|byte| *byte == 0).expect("a name ends") + 12 + 5;
    &query[12..end]
}

/// An answer with a code and records, each named by what the query asked for.
fn answer(query: &[u8], code: u8, records: &[Record]) -> Vec<u8> {
    let count = u16::try_from(records.len()).expect("few");
    let mut packet = query[..2].to_vec();
    packet.extend([0x81, 0x80 | code, 0, 1]);
    packet.extend(count.to_be_bytes());
    packet.extend([0, 0, 0, 0]);
    packet.extend(question(query));
    let mut owner = vec![0xc0, 12];
    for (kind, ttl, data) in records {
        packet.extend(&owner);
        packet.extend(kind.to_be_bytes());
        packet.extend([0, 1]);
        packet.extend(ttl.to_be_bytes());
        packet.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
        if *kind == CNAME {
            owner.clone_from(data);
        }
        packet.extend(data);
    }
    packet
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        bytes.push(u8::try_from(label.len()).expect("short"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

async fn ask(resolver: SocketAddr, kind: RecordKind) -> Result<DnsAnswer, DnsError> {
    let network = DnsNetwork::new(Clock::real());
    let resolver = ResolverName::At(resolver);
    let name = "App.Example.test".to_owned();
    network.ask(&DnsQuestion { name, kind, resolver, timeout: Duration::from_millis(500) }).await
}

#[tokio::test]
async fn records_come_with_their_time_to_live_and_the_way_to_them() {
    let resolver = server(|query| {
        let records = [
            (CNAME, 300, name("lb.example.test")),
            (A, 30, vec![192, 0, 2, 2]),
            (A, 30, vec![192, 0, 2, 1]),
        ];
        answer(query, 0, &records)
    })
    .await;
    let record = |value: &str, ttl| DnsRecord { value: value.to_owned(), ttl };
    let Ok(DnsAnswer::Found { records, aliases }) = ask(resolver, RecordKind::A).await else {
        panic!("no records");
    };
    let found: Vec<&str> = records.iter().map(|record| record.value.as_str()).collect();
    assert_eq!(found, ["192.0.2.1", "192.0.2.2"]);
    assert!(records.iter().all(|record| record.ttl == 30), "{records:?}");
    assert_eq!(aliases, [record("lb.example.test", 300)]);
    let texts = server(|query| answer(query, 0, &[(TXT, 5, b"\x04Beep".to_vec())])).await;
    let found = ask(texts, RecordKind::Txt).await;
    let records = vec![record("Beep", 5)];
    assert_eq!(found, Ok(DnsAnswer::Found { records, aliases: Vec::new() }));
}

#[tokio::test]
async fn absence_refusal_and_silence_stay_apart() {
    let nodata = server(|query| answer(query, 0, &[])).await;
    assert_eq!(ask(nodata, RecordKind::A).await, Ok(DnsAnswer::NoSuchRecord));
    let nxdomain = server(|query| answer(query, 3, &[])).await;
    assert_eq!(ask(nxdomain, RecordKind::A).await, Ok(DnsAnswer::NoSuchName));
    for (act, code) in [
        ((|query| answer(query, 2, &[])) as Act, "SERVFAIL"),
        (|query| answer(query, 5, &[]), "REFUSED"),
    ] {
        let error = ask(server(act).await, RecordKind::A).await.expect_err(code);
        assert!(matches!(&error, DnsError::Failed { code: found, .. } if found == code), "{error}");
        assert_eq!(error.class(), ErrorClass::Temporary);
    }
    let silent = ask(server(|_| Vec::new()).await, RecordKind::A).await.expect_err("silence");
    assert!(matches!(silent, DnsError::Timeout { .. }), "{silent}");
    assert_eq!(silent.class(), ErrorClass::Unreachable);
}

#[tokio::test]
async fn hostile_packets_are_errors_and_no_answers() {
    let acts: [(&str, Act); 6] = [
        ("garbage", |_| vec![0xff; 700]),
        ("too short", |query| query[..4].to_vec()),
        ("another's id", |query| {
            let mut packet = answer(query, 0, &[(A, 1, vec![192, 0, 2, 66])]);
            packet[0] ^= 0xff;
            packet
        }),
        ("another question", |query| {
            let mut packet = answer(query, 0, &[(A, 1, vec![192, 0, 2, 66])]);
            packet[13] = b'x';
            packet
        }),
        ("a name that points to itself", |query| {
            let mut packet = answer(query, 0, &[]);
            packet[7] = 1;
            let at = u8::try_from(packet.len()).expect("short");
            packet.extend([0xc0, at, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 66]);
            packet
        }),
        ("a record longer than its packet", |query| {
            let mut packet = answer(query, 0, &[(A, 1, vec![192, 0, 2, 66])]);
            packet.truncate(packet.len() - 2);
            packet
        }),
    ];
    for (what, act) in acts {
        let heard = ask(server(act).await, RecordKind::A).await;
        let error = heard.expect_err(what);
        assert_eq!(error.class(), ErrorClass::Unreachable, "{what}: {error}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let free = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let error = ask(address, RecordKind::A).await.expect_err("nobody");
    assert_eq!(error.class(), ErrorClass::Unreachable, "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
