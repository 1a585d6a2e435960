//! A DNS server on loopback, over UDP and TCP: name servers of the simulated zones.
//!
//! **Invariant:** whatever a packet holds, it is answered or dropped; trouble with one connection ends that
//! connection only.

mod message;

use crate::base::clock::Clock;
use crate::sim::simulator::Simulator;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// Largest packet that UDP carries here, bytes: what does not break into pieces on the way.
const LARGEST: usize = 1232;

/// How long a TCP connection may be quiet.
const QUIET: Duration = Duration::from_secs(10);

/// Most TCP connections at once.
const CONNECTIONS: usize = 64;

/// Ports that are tried when any free one will do.
const TRIES: usize = 20;

/// A bound pair of sockets: one port, both transports.
#[derive(Debug)]
pub struct DnsSockets {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl DnsSockets {
    /// Binds both; port 0 chooses one that is free for both.
    ///
    /// # Errors
    /// When the port is taken, or none is free.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let mut last = None;
        for _ in 0..TRIES {
            let tcp = TcpListener::bind(address).await?;
            match UdpSocket::bind(tcp.local_addr()?).await {
                Ok(udp) => return Ok(Self { udp, tcp }),
                Err(error) if address.port() == 0 => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| std::io::Error::other("no port is free for both UDP and TCP")))
    }

    /// Where they listen.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Answers until `stop` is ready, at `clock`'s time, which must not be virtual.
pub async fn serve_dns(
    simulator: Simulator,
    clock: Clock,
    sockets: DnsSockets,
    stop: impl Future<Output = ()>,
) {
    let DnsSockets { udp, tcp } = sockets;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    let mut buffer = vec![0; 4096];
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            received = udp.recv_from(&mut buffer) => {
                // An error here is about an earlier packet to somebody who is gone.
                let Ok((length, peer)) = received else { continue };
                let packet = buffer.get(..length).unwrap_or_default();
                if let Some(answer) = message::answer(&simulator, packet, Some(LARGEST), clock.now()) {
                    drop(udp.send_to(&answer, peer).await);
                }
            }
            accepted = tcp.accept() => {
                let (Ok((stream, _)), Ok(place)) = (accepted, Arc::clone(&places).try_acquire_owned())
                else {
                    continue;
                };
                let (simulator, clock) = (simulator.clone(), clock.clone());
                connections.spawn(async move {
                    drop(connection(&simulator, &clock, stream).await);
                    drop(place);
                });
                while connections.try_join_next().is_some() {}
            }
        }
    }
    connections.abort_all();
}

/// Answers the messages of one connection, one after another.
async fn connection(
    simulator: &Simulator,
    clock: &Clock,
    mut stream: TcpStream,
) -> std::io::Result<()> {
    loop {
        let read = async {
            let length = stream.read_u16().await?;
            let mut packet = vec![0; usize::from(length)];
            stream.read_exact(&mut packet).await?;
            Ok::<_, std::io::Error>(packet)
        };
        let Ok(packet) = tokio::time::timeout(QUIET, read).await else { return Ok(()) };
        let Some(answer) = message::answer(simulator, &packet?, None, clock.now()) else {
            return Ok(());
        };
        let length = u16::try_from(answer.len()).map_err(std::io::Error::other)?;
        let whole = [length.to_be_bytes().as_slice(), &answer].concat();
        stream.write_all(&whole).await?;
    }
}
