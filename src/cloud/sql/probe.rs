//! Asks whether a PostgreSQL server is reachable, without logging in.
//!
//! **Invariant:** sends the request for TLS and nothing else: no user, no password, no statement.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// `SSLRequest` of PostgreSQL's protocol: length 8, code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// A PostgreSQL server that takes TLS.
    Tls,
    /// A PostgreSQL server without TLS: drctl will not log in there.
    Plain,
    /// Something that is not PostgreSQL.
    Other,
    /// Nothing answers; why.
    Unreachable(String),
}

/// Connects to `host`:`port` and asks for TLS, within `limit` of real time.
pub async fn probe(host: &str, port: u16, limit: Duration) -> Reach {
    let asked = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(&SSL_REQUEST).await?;
        let mut answer = [0_u8; 1];
        let read = stream.read(&mut answer).await?;
        Ok::<Option<u8>, std::io::Error>((read == 1).then_some(answer[0]))
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(Some(b'S'))) => Reach::Tls,
        Ok(Ok(Some(b'N'))) => Reach::Plain,
        Ok(Ok(_)) => Reach::Other,
        Ok(Err(error)) => Reach::Unreachable(error.to_string()),
        Err(_) => Reach::Unreachable(format!("no answer within {} s", limit.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, SSL_REQUEST, probe};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Probes a server that answers with `answer`.
    async fn probed(answer: &'static [u8]) -> Reach {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut asked = [0_u8; 8];
            stream.read_exact(&mut asked).await.expect("a request");
            assert_eq!(asked, SSL_REQUEST);
            stream.write_all(answer).await.expect("still there");
        };
        tokio::join!(probe("127.0.0.1", port, Duration::from_secs(20)), server).0
    }

    #[tokio::test]
    async fn tells_postgresql_from_the_rest() {
        assert_eq!(probed(b"S").await, Reach::Tls);
        assert_eq!(probed(b"N").await, Reach::Plain);
        assert_eq!(probed(b"HTTP/1.1 400 Bad Request").await, Reach::Other);
        assert_eq!(probed(b"").await, Reach::Other);
    }

    #[tokio::test]
    async fn says_why_nothing_answers() {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let reach = probe("127.0.0.1", port, Duration::from_secs(20)).await;
        assert!(matches!(&reach, Reach::Unreachable(why) if why.contains("refused")), "{reach:?}");
    }
}
