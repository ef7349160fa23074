//! Ports for processes that are killed and started again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that nobody listens at, below those that the system gives to outgoing connections: between a kill and a start one
/// of these would take it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    // Two test programs at once begin elsewhere.
    let first = (std::process::id() % 1_000) as u16 * 12;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let tries = (0..1_000).map(|_| {
        let offset = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        PORTS.start + offset
    });
    tries.into_iter().find(free).expect("one of a thousand ports is free")
}
