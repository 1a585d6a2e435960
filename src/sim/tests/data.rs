//! What SQL shows of sources, restores and planted wrong restores.

use super::support::{Lab, minutes};
use crate::base::clock::simulated_epoch;
use crate::sim::{SimAccess, SimQuery, SimRows, SimSqlFault};
use chrono::TimeDelta;

impl Lab {
    async fn secret(&self, name: &str, stage: &str) -> serde_json::Value {
        let answer =
            self.secrets.get_secret_value().secret_id(name).version_stage(stage).send().await;
        let found = answer.expect("a secret");
        serde_json::from_str(found.secret_string().expect("text")).expect("json")
    }

    /// Asks an instance with the given version of its secret.
    async fn ask(&self, id: &str, stage: &str, sql: &str) -> Result<SimRows, SimSqlFault> {
        let secret = self.secret("shop/orders", stage).await;
        let host = self
            .instance(id)
            .await
            .endpoint()
            .and_then(|endpoint| endpoint.address().map(str::to_owned))
            .unwrap_or_else(|| "nowhere".to_owned());
        let query = SimQuery {
            host,
            port: 5432,
            database: "orders".to_owned(),
            user: secret["username"].as_str().expect("user").to_owned(),
            password: secret["password"].as_str().expect("password").to_owned().into(),
            statement: sql.to_owned(),
            access: SimAccess::ReadOnly,
        };
        self.simulator.query(&query, self.clock.now())
    }

    async fn one(&self, id: &str, sql: &str) -> String {
        let rows = self.ask(id, "AWSCURRENT", sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        rows.rows[0][0].clone().unwrap_or_default()
    }

    async fn code(&self, id: &str, sql: &str) -> String {
        let fault = self.ask(id, "AWSCURRENT", sql).await.expect_err(sql);
        fault.code().unwrap_or("unreachable").to_owned()
    }

    /// Restores as of half an hour ago, with a fault planted, and waits.
    async fn restored(faults: &[&str]) -> (Self, i64) {
        let lab = Self::new(faults);
        let point = lab.clock.now() - minutes(30);
        lab.restore("copy", minutes(30)).await.expect("accepted");
        lab.until("copy", "available").await;
        (lab, point.timestamp_millis())
    }
}

const BEAT: &str = "SELECT at_ms FROM drctl.heartbeat ORDER BY at_ms DESC LIMIT 1";

#[tokio::test(start_paused = true)]
async fn a_restore_shows_the_data_of_its_point() {
    let (lab, point) = Lab::restored(&[]).await;
    assert_eq!(lab.one("copy", BEAT).await, point.to_string(), "beats every second");
    let now = lab.clock.now().timestamp_millis();
    let live: i64 = lab.one("shop-orders", BEAT).await.parse().expect("a number");
    assert!((now - 1000..=now + 1000).contains(&live), "{live} at {now}");
    assert_eq!(lab.one("copy", "SELECT source FROM drctl.heartbeat").await, "shop/orders");
    let writer = "SELECT writer FROM drctl.heartbeat";
    assert_eq!(lab.one("copy", writer).await, lab.one("shop-orders", writer).await);
    // One row a minute since a day before the world began, of which half an hour is missing.
    let count = "SELECT count(*) FROM public.orders";
    assert_eq!(lab.one("copy", count).await, (500 + 1440 - 30).to_string());
    assert_ne!(lab.one("shop-orders", count).await, lab.one("copy", count).await);
    let newest: i64 =
        lab.one("copy", "SELECT max(created_ms) FROM orders").await.parse().expect("a number");
    assert!((point - 60_000..=point).contains(&newest), "{newest} at {point}");
    let text = lab.one("copy", "SELECT max(created_at) FROM orders").await;
    assert_eq!(text, "2026-01-15 08:30:00+00");
}

#[tokio::test(start_paused = true)]
async fn the_checks_of_a_healthy_postgres() {
    let (lab, _) = Lab::restored(&[]).await;
    for (sql, wanted) in [
        ("SELECT 1", "1"),
        ("SELECT pg_is_in_recovery()", "f"),
        ("SELECT NOT pg_is_in_recovery() AS writer", "t"),
        ("SELECT count(*) > 100 FROM orders", "t"),
        ("SELECT current_database()", "orders"),
        ("SELECT current_setting('server_version')", "15.3"),
        ("SELECT count(*) FROM \"public\".\"customers\"", "50"),
        ("SHOW transaction_read_only", "on"),
        ("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "0"),
        ("SELECT count(*) FROM pg_extension WHERE extname IN ('plpgsql', 'amcheck')", "2"),
        (
            "SELECT count(*) FROM information_schema.tables \
             WHERE table_schema = 'public' AND table_name = 'customers'",
            "1",
        ),
        (
            "SELECT count(bt_index_check(i.indexrelid)) FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE a.amname = 'btree' AND c.relpersistence <> 't' AND i.indisvalid \
             AND n.nspname <> 'pg_toast'",
            "3",
        ),
        (
            "SELECT bt_index_check(c.oid) FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam \
             WHERE a.amname = 'btree' AND i.indisvalid",
            "",
        ),
    ] {
        assert_eq!(lab.one("copy", sql).await, wanted, "{sql}");
    }
    assert!(lab.one("copy", "SELECT version()").await.starts_with("PostgreSQL 15.3"));
    for (sql, code) in [
        ("SELECT * FROM nope", "42P01"),
        ("SELECT nope FROM orders", "42703"),
        ("SELECT nope()", "42883"),
        ("SELEC 1", "42601"),
        ("SELECT FROM WHERE", "42601"),
        ("INSERT INTO orders VALUES (1)", "25006"),
        ("WITH x AS (SELECT 1) DELETE FROM orders", "25006"),
    ] {
        assert_eq!(lab.code("copy", sql).await, code, "{sql}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_enter_and_when() {
    let lab = Lab::new(&[]);
    lab.restore("copy", TimeDelta::days(5)).await.expect("five days ago");
    lab.sleep(5).await;
    let creating = lab.ask("copy", "AWSCURRENT", "SELECT 1").await.expect_err("creating");
    assert!(matches!(creating, SimSqlFault::Unreachable { .. }), "{creating}");
    lab.until("copy", "available").await;
    // The secret was rotated three days ago: a restore from before has the old password.
    assert_eq!(lab.code("copy", "SELECT 1").await, "28P01");
    assert!(lab.ask("copy", "AWSPREVIOUS", "SELECT 1").await.is_ok());
    assert!(lab.ask("shop-orders", "AWSCURRENT", "SELECT 1").await.is_ok());
    let mut query = SimQuery {
        host: lab.secret("shop/orders", "AWSCURRENT").await["host"].as_str().unwrap().to_owned(),
        port: 5432,
        database: "nope".to_owned(),
        user: "orders_admin".to_owned(),
        password: lab.secret("shop/orders", "AWSCURRENT").await["password"]
            .as_str()
            .unwrap()
            .to_owned()
            .into(),
        statement: "SELECT 1".to_owned(),
        access: SimAccess::ReadOnly,
    };
    let code = |query: &SimQuery| {
        let fault = lab.simulator.query(query, lab.clock.now()).expect_err("refused");
        fault.code().map(str::to_owned)
    };
    assert_eq!(code(&query).as_deref(), Some("3D000"));
    query.port = 1;
    assert_eq!(code(&query), None);
    query.host = "gone.example".to_owned();
    assert_eq!(code(&query), None);
}

#[tokio::test(start_paused = true)]
async fn replicas_follow_and_say_so() {
    let lab = Lab::new(&[]);
    let regclass = "SELECT to_regclass('drctl.heartbeat') IS NOT NULL";
    assert_eq!(lab.one("shop-orders-replica", regclass).await, "t");
    assert_eq!(lab.one("shop-orders-replica", "SELECT pg_is_in_recovery()").await, "t");
    let (behind, ahead) =
        (lab.one("shop-orders-replica", BEAT).await, lab.one("shop-orders", BEAT).await);
    let lag = ahead.parse::<i64>().unwrap() - behind.parse::<i64>().unwrap();
    assert!((0..=2000).contains(&lag), "{lag} ms");
}

#[tokio::test(start_paused = true)]
async fn wrong_restores_are_visible() {
    let (lab, point) = Lab::restored(&["wrong-restore=stale"]).await;
    assert_eq!(lab.one("copy", BEAT).await, (point - 3_600_000).to_string());

    let (lab, point) = Lab::restored(&["wrong-restore=empty-table"]).await;
    assert_eq!(lab.one("copy", BEAT).await, point.to_string());
    assert_eq!(lab.one("copy", "SELECT count(*) FROM customers").await, "0");
    assert_eq!(lab.one("shop-orders", "SELECT count(*) FROM customers").await, "50");

    let (lab, _) = Lab::restored(&["wrong-restore=missing-schema"]).await;
    assert_eq!(lab.code("copy", "SELECT count(*) FROM customers").await, "42P01");

    let (lab, _) = Lab::restored(&["wrong-restore=wrong-database"]).await;
    assert_eq!(lab.one("copy", "SELECT source FROM drctl.heartbeat").await, "shop/stock");
    assert_eq!(lab.code("copy", "SELECT count(*) FROM customers").await, "42P01");
}

#[tokio::test(start_paused = true)]
async fn read_write_keeps_what_is_written() {
    let (lab, _) = Lab::restored(&[]).await;
    let secret = lab.secret("shop/orders", "AWSCURRENT").await;
    let host = lab.instance("copy").await.endpoint().unwrap().address().unwrap().to_owned();
    let write = |statement: &str| {
        let query = SimQuery {
            host: host.clone(),
            port: 5432,
            database: "orders".to_owned(),
            user: "orders_admin".to_owned(),
            password: secret["password"].as_str().unwrap().to_owned().into(),
            statement: statement.to_owned(),
            access: SimAccess::ReadWrite,
        };
        lab.simulator.query(&query, lab.clock.now())
    };
    for statement in [
        "BEGIN",
        "CREATE SCHEMA IF NOT EXISTS drctl",
        "CREATE TABLE IF NOT EXISTS drctl.heartbeat (writer uuid PRIMARY KEY, \
         at timestamptz NOT NULL DEFAULT now())",
        "CREATE TABLE drctl_probe (id bigint PRIMARY KEY, note text)",
        "INSERT INTO drctl_probe (id, note) VALUES (1, 'a') \
         ON CONFLICT (id) DO UPDATE SET note = 'b'",
        "INSERT INTO drctl.heartbeat (writer) VALUES ('x')",
        "COMMIT",
        "INSERT INTO drctl.heartbeat (writer, source, sequence, at, at_ms) \
         VALUES ('w', 's', 1, '2026-01-15T09:00:00Z', 1) ON CONFLICT (writer) \
         DO UPDATE SET sequence = excluded.sequence, at = excluded.at, at_ms = excluded.at_ms",
        "INSERT INTO drctl_probe VALUES (2, 'x'); DELETE FROM drctl_probe WHERE id = 2; SELECT 1",
    ] {
        write(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    assert_eq!(lab.one("copy", "SELECT note FROM drctl_probe").await, "a");
    for attempt in 0..2 {
        for statement in
            ["CREATE TEMPORARY TABLE probe (at timestamptz)", "INSERT INTO probe VALUES (now())"]
        {
            write(statement).unwrap_or_else(|error| panic!("{attempt}: {statement}: {error}"));
        }
    }
    assert_eq!(lab.one("copy", "SELECT count(*) FROM probe").await, "1");
    write("DROP TABLE probe").expect("dropped");
    assert_eq!(lab.one("copy", "SELECT count(*) FROM drctl.heartbeat").await, "1");
    assert!(simulated_epoch() < lab.clock.now());
}
