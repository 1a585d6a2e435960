//! A server of S3's reads over TCP that answers as each test wants it: lists, heads, and trouble.
//!
//! **Invariant:** it shares no code with drctl; keys are listed in the order of their bytes unless a test
//! asks for another one.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is under a key.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub size: u64,
    pub etag: String,
    /// RFC 3339, whole seconds.
    pub modified: String,
    /// Replication status, if S3 says one.
    pub status: Option<&'static str>,
    /// Further headers of `HEAD`.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// An object whose ETag is made of its number.
pub(crate) fn held(number: u64) -> Held {
    Held {
        size: number,
        etag: format!("{number:032x}"),
        modified: "2026-01-01T10:00:00Z".to_owned(),
        status: None,
        headers: Vec::new(),
    }
}

/// A request, as far as trouble goes by it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub method: String,
    /// Undecoded, with the query.
    pub target: String,
    pub authorization: String,
    /// How many requests there were before.
    pub before: usize,
}

impl Asked {
    /// Whether it lists objects.
    pub(crate) fn lists(&self) -> bool {
        self.target.contains("list-type=2")
    }

    /// The bucket.
    pub(crate) fn bucket(&self) -> &str {
        self.target.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default()
    }
}

/// An answer in place of the usual one.
pub(crate) struct Odd {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Odd {
    /// An error of S3.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>of the test</Message></Error>");
        Self { status, headers: Vec::new(), body }
    }
}

type Trouble = Box<dyn Fn(&Asked) -> Option<Odd> + Send + Sync>;

/// What the server holds and does.
pub(crate) struct World {
    pub buckets: BTreeMap<String, BTreeMap<String, Held>>,
    /// Keys that a delete marker is on.
    pub markers: Vec<(String, String)>,
    /// Keys that are there but in no list: they came after it was read.
    pub late: Vec<(String, String)>,
    pub page: usize,
    pub delay: Duration,
    pub trouble: Trouble,
}

impl World {
    /// Two buckets, `source` and `replica`, with the same objects.
    pub(crate) fn twins(objects: impl IntoIterator<Item = (String, Held)>) -> Self {
        let objects: BTreeMap<String, Held> = objects.into_iter().collect();
        let buckets = ["source", "replica"].map(|name| (name.to_owned(), objects.clone()));
        Self {
            buckets: buckets.into(),
            markers: Vec::new(),
            late: Vec::new(),
            page: 1_000,
            delay: Duration::ZERO,
            trouble: Box::new(|_| None),
        }
    }

    pub(crate) fn bucket(&mut self, name: &str) -> &mut BTreeMap<String, Held> {
        self.buckets.get_mut(name).expect("a bucket of the test")
    }
}

/// The running server; it ends with the test's process.
pub(crate) struct Stub {
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    pub(crate) fn start(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (world, asked) = (Arc::new(world), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (world, seen) = (Arc::clone(&world), Arc::clone(&seen));
                std::thread::spawn(move || serve(&stream, &world, &seen));
            }
        });
        Self { address, asked }
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "its clients are processes, which live in real time")]
fn serve(stream: &TcpStream, world: &World, seen: &Mutex<Vec<Asked>>) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut authorization = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("authorization")
            {
                value.trim().clone_into(&mut authorization);
            }
        }
        let mut words = first.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let asked = {
            let mut seen = seen.lock().expect("not poisoned");
            let asked = Asked {
                method: method.to_owned(),
                target: target.to_owned(),
                authorization,
                before: seen.len(),
            };
            seen.push(asked.clone());
            asked
        };
        std::thread::sleep(world.delay);
        let answer = (world.trouble)(&asked).unwrap_or_else(|| answer(&asked, world));
        let mut out = format!("HTTP/1.1 {} x\r\nserver: stub\r\n", answer.status);
        for (name, value) in &answer.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = if method == "HEAD" { "" } else { &answer.body };
        let told = answer.headers.iter().any(|(name, _)| name == "content-length");
        if !told {
            out.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        out.push_str("\r\n");
        out.push_str(body);
        if (&*stream).write_all(out.as_bytes()).is_err() {
            return;
        }
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&digits, 16).expect("two digits"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn answer(asked: &Asked, world: &World) -> Odd {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let key = decoded(key);
    let Some(objects) = world.buckets.get(bucket) else { return Odd::error(404, "NoSuchBucket") };
    let region = ("x-amz-bucket-region".to_owned(), "us-east-1".to_owned());
    match (asked.method.as_str(), key.is_empty()) {
        ("HEAD", true) => Odd { status: 200, headers: vec![region], body: String::new() },
        ("GET", true) if asked.lists() => list(objects, bucket, query, world),
        ("GET", true) if query.starts_with("versions") => versions(objects, bucket, world),
        ("HEAD", false) => head(objects, bucket, &key, world),
        _ => Odd::error(501, "NotImplemented"),
    }
}

fn list(objects: &BTreeMap<String, Held>, bucket: &str, query: &str, world: &World) -> Odd {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(given, _)| *given == name).map(|(_, value)| decoded(value))
    };
    let (prefix, after) = (parameter("prefix").unwrap_or_default(), parameter("start-after"));
    let most = parameter("max-keys").and_then(|text| text.parse().ok()).unwrap_or(world.page);
    let after = after.unwrap_or_default();
    let is_late = |key: &str| world.late.iter().any(|(of, late)| of == bucket && late == key);
    let mut found = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix) && key.as_str() > after.as_str())
        .filter(|(key, _)| !is_late(key));
    let page: Vec<_> = found.by_ref().take(most.min(world.page)).collect();
    let more = found.next().is_some();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{bucket}</Name>\
         <EncodingType>url</EncodingType><IsTruncated>{more}</IsTruncated>"
    );
    for (key, held) in page {
        let (key, Held { size, etag, modified, .. }) = (encoded(key), held);
        xml.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified>\
             <ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size><Owner><ID>o</ID></Owner>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        ));
    }
    xml.push_str("</ListBucketResult>");
    Odd { status: 200, headers: Vec::new(), body: xml }
}

/// Each object has one version, named after its size; a marker lies on top of it.
fn versions(objects: &BTreeMap<String, Held>, bucket: &str, world: &World) -> Odd {
    let mut items: Vec<(String, u8, String)> = Vec::new();
    for (of, key) in &world.markers {
        if of == bucket {
            let item = format!(
                "<DeleteMarker><Key>{}</Key><VersionId>m</VersionId><IsLatest>true</IsLatest>\
                 <LastModified>2026-01-02T10:00:00Z</LastModified></DeleteMarker>",
                encoded(key)
            );
            items.push((key.clone(), 0, item));
        }
    }
    for (key, Held { size, etag, modified, .. }) in objects {
        let item = format!(
            "<Version><Key>{}</Key><VersionId>v{size}</VersionId><IsLatest>true</IsLatest>\
             <LastModified>{modified}</LastModified><ETag>&quot;{etag}&quot;</ETag>\
             <Size>{size}</Size><StorageClass>STANDARD</StorageClass></Version>",
            encoded(key)
        );
        items.push((key.clone(), 1, item));
    }
    items.sort();
    let items: String = items.into_iter().map(|(_, _, item)| item).collect();
    let body = format!(
        "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{items}\
         </ListVersionsResult>"
    );
    Odd { status: 200, headers: Vec::new(), body }
}

fn head(objects: &BTreeMap<String, Held>, bucket: &str, key: &str, world: &World) -> Odd {
    let header = |name: &str, value: String| (name.to_owned(), value);
    let Some(found) = objects.get(key) else {
        let marked = world.markers.iter().any(|(of, marked)| of == bucket && marked == key);
        let marker = marked.then(|| header("x-amz-delete-marker", "true".to_owned()));
        return Odd { status: 404, headers: marker.into_iter().collect(), body: String::new() };
    };
    let modified = chrono::DateTime::parse_from_rfc3339(&found.modified).expect("an instant");
    let mut headers = vec![
        header("content-length", found.size.to_string()),
        header("etag", format!("\"{}\"", found.etag)),
        header("last-modified", modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    ];
    headers
        .extend(found.status.map(|status| header("x-amz-replication-status", status.to_owned())));
    headers.extend(found.headers.iter().map(|(name, value)| header(name, (*value).to_owned())));
    Odd { status: 200, headers, body: String::new() }
}
