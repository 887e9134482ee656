//! What ssh starts to reach a lab node: enters the lab's management namespace, connects, hands the connection to
//! ssh and ends. It sits in the way of every ssh to the lab, so it reads no file but the namespace itself.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::netns;
use crate::state::mgmt_netns;

/// Why ssh got no connection.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// There is no such lab, or no right to enter it.
    #[error("cannot enter the network of lab {lab}: {source}")]
    Enter {
        /// The lab.
        lab: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node does not answer.
    #[error("no connection to {target}: {source}")]
    Connect {
        /// Address and port.
        target: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Standard output is not the socket ssh gives to a proxy.
    #[error("cannot hand the connection over (is `ProxyUseFdpass yes` set?): {0}")]
    Pass(std::io::Error),
}

/// Connects to a port of a node and passes the connection over file descriptor 1.
///
/// # Errors
/// No such lab, no answer within five seconds, or no ssh at the other end of standard output.
pub fn proxy(lab: &str, host: IpAddr, port: u16) -> Result<(), ProxyError> {
    netns::enter(&mgmt_netns(lab)).map_err(|source| ProxyError::Enter { lab: lab.to_owned(), source })?;
    let target = SocketAddr::new(host, port);
    let stream = TcpStream::connect_timeout(&target, Duration::from_secs(5))
        .map_err(|source| ProxyError::Connect { target, source })?;
    pass(&stream).map_err(ProxyError::Pass)
}

fn pass(stream: &TcpStream) -> std::io::Result<()> {
    let fds = [stream.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(std::io::Error::other("no room for a file descriptor"));
    }
    sendmsg(rustix::stdio::stdout(), &[IoSlice::new(b"\0")], &mut control, SendFlags::empty())?;
    Ok(())
}
