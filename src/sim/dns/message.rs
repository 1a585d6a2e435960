//! One DNS message in, one out.
//!
//! **Invariant:** a function of the packet, the world and the instant that never panics: what cannot be
//! read is answered FORMERR, and what is no question at all is not answered.

use crate::sim::route53::{SimDnsAnswer, SimDnsEnd, SimDnsSet, labels, strings, text_of};
use crate::sim::simulator::Simulator;
use chrono::{DateTime, Utc};
use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// Bytes of a message's head.
const HEAD: usize = 12;

/// What UDP carries for those who say nothing.
const PLAIN: usize = 512;

/// Types that are no records of a zone.
const META: [RecordType; 3] = [RecordType::ANY, RecordType::AXFR, RecordType::IXFR];

/// The answer to `packet`, at most as large as the asker and `limit` allow.
pub(super) fn answer(
    simulator: &Simulator,
    packet: &[u8],
    limit: Option<usize>,
    now: DateTime<Utc>,
) -> Option<Vec<u8>> {
    let [first, second, flags, ..] = packet.get(..HEAD)? else { return None };
    // An answer is not answered: two servers would never end.
    if flags & 0x80 != 0 {
        return None;
    }
    let id = u16::from_be_bytes([*first, *second]);
    let (response, room) = match Message::from_vec(packet) {
        Ok(asked) => {
            let room = asked.edns.as_ref().map_or(PLAIN, |edns| usize::from(edns.max_payload()));
            (respond(simulator, &asked, now), room.max(PLAIN))
        }
        Err(_) => (Message::error_msg(id, OpCode::Query, ResponseCode::FormErr), PLAIN),
    };
    let bytes = response.to_vec().ok()?;
    match limit.map(|limit| limit.min(room)) {
        Some(limit) if bytes.len() > limit => response.truncate().to_vec().ok(),
        Some(_) | None => Some(bytes),
    }
}

fn respond(simulator: &Simulator, asked: &Message, now: DateTime<Utc>) -> Message {
    let (id, op_code) = (asked.metadata.id, asked.metadata.op_code);
    let refuse = |code| Message::error_msg(id, op_code, code);
    if asked.metadata.message_type != MessageType::Query || op_code != OpCode::Query {
        return refuse(ResponseCode::NotImp);
    }
    let [query] = asked.queries.as_slice() else { return refuse(ResponseCode::FormErr) };
    let mut response = Message::response(id, op_code);
    response.add_query(query.clone());
    response.metadata.recursion_desired = asked.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    if let Some(edns) = &asked.edns {
        let mut own = Edns::new();
        own.set_max_payload(1232);
        if edns.version() > 0 {
            // BADVERS: 16, whose upper part stands in the record and whose lower part is 0.
            own.set_rcode_high(1);
            response.set_edns(own);
            return response;
        }
        response.set_edns(own);
    }
    if query.query_class() != DNSClass::IN || META.contains(&query.query_type()) {
        response.metadata.response_code = ResponseCode::Refused;
        return response;
    }
    let name = text_of(query.name().iter());
    let kind = query.query_type().to_string();
    match simulator.answer_dns(&name, &kind, now) {
        Some(found) => fill(&mut response, query, &found),
        None => response.metadata.response_code = ResponseCode::FormErr,
    }
    let code = response.metadata.response_code;
    tracing::info!(name, kind, %code, "asked by DNS");
    response
}

fn fill(response: &mut Message, query: &Query, found: &SimDnsAnswer) {
    response.metadata.authoritative = found.zoned;
    for (at, set) in found.sets.iter().enumerate() {
        // The name asked for comes back as it was written.
        let owner = if at == 0 { Some(query.name().clone()) } else { name_of(&set.owner) };
        let Some(owner) = owner else { continue };
        response.add_answers(records(&owner, set, set.ttl));
    }
    response.metadata.response_code = match found.end {
        SimDnsEnd::Found | SimDnsEnd::NoSuchRecord => ResponseCode::NoError,
        SimDnsEnd::NoSuchName => ResponseCode::NXDomain,
        SimDnsEnd::NotOurs => ResponseCode::Refused,
    };
    if found.end == SimDnsEnd::Found {
        return;
    }
    if let Some(authority) = &found.authority
        && let Some(owner) = name_of(&authority.owner)
    {
        response.add_authorities(records(&owner, authority, authority.ttl));
    }
}

fn records(owner: &Name, set: &SimDnsSet, ttl: u32) -> Vec<Record> {
    let data = set.values.iter().filter_map(|value| data(&set.kind, value));
    data.map(|data| Record::from_rdata(owner.clone(), ttl, data)).collect()
}

fn name_of(text: &str) -> Option<Name> {
    let mut name = Name::from_labels(labels(text).ok()?).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// A value as Route 53 writes it; `None` for a type that is not served.
fn data(kind: &str, value: &str) -> Option<RData> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let number = |at: usize| words.get(at)?.parse::<u16>().ok();
    let long = |at: usize| words.get(at)?.parse::<u32>().ok();
    let signed = |at: usize| words.get(at)?.parse::<i32>().ok();
    let name = |at: usize| name_of(words.get(at)?);
    Some(match kind {
        "A" => RData::A(A(value.parse().ok()?)),
        "AAAA" => RData::AAAA(AAAA(value.parse().ok()?)),
        "CNAME" => RData::CNAME(CNAME(name(0)?)),
        "NS" => RData::NS(NS(name(0)?)),
        "PTR" => RData::PTR(PTR(name(0)?)),
        "MX" => RData::MX(MX::new(number(0)?, name(1)?)),
        "SRV" => RData::SRV(SRV::new(number(0)?, number(1)?, number(2)?, name(3)?)),
        "SOA" => RData::SOA(SOA::new(
            name(0)?,
            name(1)?,
            long(2)?,
            signed(3)?,
            signed(4)?,
            signed(5)?,
            long(6)?,
        )),
        "TXT" => {
            // Texts that the estate declares stand without quotation marks.
            let texts = strings(value).unwrap_or_else(|| vec![value.as_bytes().to_vec()]);
            let fits = texts.iter().all(|text| text.len() <= 255);
            fits.then(|| RData::TXT(TXT::from_bytes(texts.iter().map(Vec::as_slice).collect())))?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{HEAD, answer};
    use crate::base::seed::Seed;
    use crate::estate;
    use crate::sim::{SimOptions, Simulator};

    const ESTATE: &str = "apiVersion: drctl/v1\nkind: Estate\nname: x\nzones:\n  public:\n    id: Z1\n    \
        name: shop.example\n    records:\n      api: { name: api.shop.example, type: A, values: \
        [192.0.2.1] }\n      www: { name: www.shop.example, type: CNAME, values: [api.shop.example] }\n      \
        text: { name: t.shop.example, type: TXT, values: ['\"a b\" \"c\"'] }\n      many: { name: \
        many.shop.example, type: TXT, values: [MANY] }\nenvironments:\n  sim: { type: simulated, account: \
        \"123456789012\", region: us-east-1 }\n";

    fn simulator() -> Simulator {
        let many: Vec<String> = (0..8).map(|n| format!("'\"{n}{}\"'", "x".repeat(200))).collect();
        let text = ESTATE.replace("MANY", &many.join(", "));
        let estate = estate::load("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let options = SimOptions { seed: None, faults: Vec::new() };
        Simulator::create(&estate, &estate.environments["sim"], options).expect("a world")
    }

    /// A query, put together by hand.
    fn query(name: &str, kind: u16, class: u16) -> Vec<u8> {
        let mut packet = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            packet.push(u8::try_from(label.len()).expect("short"));
            packet.extend(label.as_bytes());
        }
        packet.push(0);
        packet.extend(kind.to_be_bytes());
        packet.extend(class.to_be_bytes());
        packet
    }

    fn ask(simulator: &Simulator, packet: &[u8], limit: Option<usize>) -> Option<Vec<u8>> {
        answer(simulator, packet, limit, simulator.time())
    }

    /// Code, answers, and whether it was cut.
    fn told(answer: &[u8]) -> (u8, u16, bool) {
        (answer[3] & 15, u16::from_be_bytes([answer[6], answer[7]]), answer[2] & 2 != 0)
    }

    #[test]
    fn questions_are_answered_from_the_zones() {
        let simulator = simulator();
        for (name, kind, wanted) in [
            ("api.shop.example", 1, (0, 1, false)),
            ("API.Shop.Example", 1, (0, 1, false)),
            ("www.shop.example", 1, (0, 2, false)),
            ("t.shop.example", 16, (0, 1, false)),
            ("shop.example", 2, (0, 3, false)),
            ("shop.example", 6, (0, 1, false)),
            ("api.shop.example", 28, (0, 0, false)),
            ("no.shop.example", 1, (3, 0, false)),
            ("other.example", 1, (5, 0, false)),
            ("shop.example", 255, (5, 0, false)),
            ("shop.example", 252, (5, 0, false)),
            ("many.shop.example", 16, (0, 0, true)),
        ] {
            let found = ask(&simulator, &query(name, kind, 1), Some(1232)).expect("an answer");
            assert_eq!(told(&found), wanted, "{name} {kind}");
            assert_eq!(found[..2], [0x12, 0x34]);
            assert!(found[2] & 0x80 != 0, "it is an answer");
        }
        let whole = ask(&simulator, &query("many.shop.example", 16, 1), None).expect("over TCP");
        assert_eq!(told(&whole), (0, 8, false));
        let address = ask(&simulator, &query("api.shop.example", 1, 1), None).expect("an answer");
        assert!(address.ends_with(&[0, 4, 192, 0, 2, 1]), "{address:?}");
        let text = ask(&simulator, &query("t.shop.example", 16, 1), None).expect("an answer");
        assert!(text.ends_with(b"\x03a b\x01c"), "two strings, without their marks: {text:?}");
        let chaos = ask(&simulator, &query("version.bind", 16, 3), None).expect("an answer");
        assert_eq!(told(&chaos).0, 5);
    }

    #[test]
    fn hostile_packets_are_answered_or_dropped() {
        let simulator = simulator();
        let good = query("api.shop.example", 1, 1);
        for length in 0..HEAD {
            assert_eq!(ask(&simulator, &good[..length], None), None, "too short for a head");
        }
        for length in HEAD..good.len() {
            let found = ask(&simulator, &good[..length], None).expect("an answer");
            assert_eq!(told(&found).0, 1, "FORMERR for {length} bytes");
        }
        let mut reply = good.clone();
        reply[2] |= 0x80;
        assert_eq!(ask(&simulator, &reply, None), None, "an answer is not answered");
        let mut update = good.clone();
        update[2] = 5 << 3;
        assert!(
            ask(&simulator, &update, None).is_some_and(|found| [1, 4].contains(&told(&found).0))
        );
        // A name that points at itself, and counts that promise what is not there.
        let mut looped = good[..HEAD].to_vec();
        looped.extend([0xc0, 12, 0, 1, 0, 1]);
        assert_eq!(ask(&simulator, &looped, None).map(|found| told(&found).0), Some(1));
        let mut promised = good.clone();
        promised[4..12].copy_from_slice(&[0xff; 8]);
        assert_eq!(ask(&simulator, &promised, None).map(|found| told(&found).0), Some(1));
        let mut random = Seed::new(5).stream("hostile");
        for _ in 0..20_000 {
            let mut packet = good.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(0..packet.len());
                packet[at] = random.u8(..);
            }
            packet.truncate(random.usize(0..=good.len()));
            if let Some(found) = ask(&simulator, &packet, Some(1232)) {
                assert!(found.len() >= HEAD && found[..2] == packet[..2]);
            }
        }
    }
}
