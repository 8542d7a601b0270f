//! Free ports on the loopback address.
//!
//! Taken below the range from which systems give ports to outgoing connections, so that none is taken between being
//! found free and being listened on. Two sets that start at once take turns (`set`).

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// Linux gives outgoing connections 32768 and above, others more.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// That many ports on which nobody listens and which are not among `taken`; they are added to it.
///
/// # Errors
/// When the range is used up.
pub(crate) fn free<const N: usize>(taken: &mut BTreeSet<u16>) -> Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        let mut candidates = RANGE.filter(|one| !taken.contains(one));
        *port = candidates
            .find(|one| TcpListener::bind((Ipv4Addr::LOCALHOST, *one)).is_ok())
            .context("failed to find a free port between 20000 and 31999")?;
        taken.insert(*port);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_distinct_and_a_port_in_use_is_left_out() {
        let mut taken = BTreeSet::new();
        let [held] = free(&mut taken).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, held)).unwrap();
        let ports: [u16; 8] = free(&mut BTreeSet::new()).unwrap();
        assert!(!ports.contains(&held), "{held} is listened on");
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 8);
        drop(listener);
    }
}
