//! Lists of S3: how fast pages are read and met, inventories read; and a server to measure tools against.
//!
//! ```text
//! cargo bench --bench s3_lists                                            the parts
//! cargo bench --bench s3_lists -- serve --keys 1000000 --delay-ms 30      the server; prints its address
//! benches/s3_lists/side_by_side.py --help                                 drctl, rclone, s5cmd, aws at it
//! cargo bench --bench s3_lists -- inventory DIRECTORY --rows 10000000     files of an inventory to compare
//! ```

#[cfg(feature = "parquet")]
#[path = "s3_lists/columns.rs"]
mod columns;
#[path = "s3_lists/inventory.rs"]
mod inventory;
#[path = "s3_lists/server.rs"]
mod server;

use criterion::{BatchSize, Criterion, Throughput};
use drctl::cloud::compare::{Cursor, merge};
use drctl::cloud::listing::{ObjectPage, read_objects};
use server::{Names, Shape};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|one| one == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let number = |name: &str, default: u64| {
        option(name).map_or(default, |text| text.parse().expect("a number"))
    };
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(Shape {
            keys: number("--keys", 1_000_000),
            every: number("--every", 1_000),
            delay: Duration::from_millis(number("--delay-ms", 30)),
            names: if option("--names") == Some("hashes") { Names::Hashes } else { Names::Numbers },
            asked: AtomicU64::new(0),
        }),
        Some("inventory") => {
            let directory = arguments.get(1).expect("a directory");
            let form = option("--form").unwrap_or("csv");
            inventory::write(Path::new(directory), number("--rows", 1_000_000), form);
        }
        _ => {
            let mut criterion = Criterion::default().configure_from_args();
            parts(&mut criterion);
            criterion.final_summary();
        }
    }
}

#[expect(clippy::print_stdout, reason = "whoever starts it reads the address there")]
fn serve(shape: Shape) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        server::serve(Arc::new(shape), listener).await;
    });
}

/// A page as S3 writes it, of which one key in `changed` has another ETag.
fn body(changed: u64) -> String {
    let mut xml = String::from("<ListBucketResult><EncodingType>url</EncodingType>");
    for number in 0..1_000_u64 {
        let tag = if number % changed == changed / 2 { number + 1 } else { number };
        write!(
            xml,
            "<Contents><Key>data%2Fobject-{number:08}.dat</Key><LastModified>2026-03-01T10:00:00.000Z\
             </LastModified><ETag>&quot;{tag:032x}&quot;</ETag><Size>{number}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        )
        .expect("room");
    }
    xml.push_str("<IsTruncated>true</IsTruncated></ListBucketResult>");
    xml
}

fn page(changed: u64) -> ObjectPage {
    read_objects(body(changed).as_bytes(), "data/").expect("a page")
}

fn parts(criterion: &mut Criterion) {
    let text = body(u64::MAX);
    let mut group = criterion.benchmark_group("lists");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("read a page of 1,000 keys", |bench| {
        bench.iter(|| read_objects(black_box(text.as_bytes()), "data/").expect("a page").len());
    });
    let (one, other) = (page(u64::MAX), page(100));
    group.bench_function("meet two pages of 1,000 keys", |bench| {
        bench.iter_batched(
            || (Cursor::new(one.clone()), Cursor::new(other.clone())),
            |(mut one, mut other)| {
                let mut differ = 0;
                merge(&mut one, &mut other, None, |_, one, other| {
                    differ += u32::from(one != other)
                });
                assert_eq!(differ, 10);
            },
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(100_000));
    let directory = tempfile::tempdir().expect("a directory");
    inventory::write(directory.path(), 100_000, "csv");
    group.sample_size(10);
    group.bench_function("compare two inventories of 100,000 rows", |bench| {
        bench.iter(|| inventory::compare(directory.path()));
    });
    group.finish();
}
