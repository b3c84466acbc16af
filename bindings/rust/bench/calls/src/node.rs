//! meshwork: a node on each side.
use crate::{Caller, Result, BODY};
use meshwork::{Context, How, Kind, Node, Options};
use std::future::pending;
use std::rc::Rc;

/// Gossip, because nodes of one host would meet over unix sockets otherwise.
fn options() -> Options {
    Options::node("bench").set("registry", "gossip")
}

pub async fn serve() -> Result<()> {
    let node = Node::open(&Context::open(Options::context())?, options())?;
    node.serve("echo", Options::service(), |event| {
        if event.kind() == Kind::Request {
            let _ = event.request().unwrap().reply(&event); // refused only where nobody waits any more
        }
    })?;
    node.start().await?;
    let facts = node.info("address")?; // ["ws://127.0.0.1:PORT/mesh"]
    let text = String::from_utf8_lossy(facts.body());
    let rest = text.split_once("ws://127.0.0.1:").map_or("", |(_, rest)| rest);
    println!("port {}", rest.split_once('/').ok_or_else(|| format!("no port in {text}"))?.0);
    pending().await
}

pub async fn dial(port: u16) -> Result<impl Caller> {
    let options = options().set("seeds", format!("127.0.0.1:{port}")).set("gate.services", r#"{"echo":1}"#);
    let node = Node::open(&Context::open(Options::context())?, options)?;
    node.start().await?;
    Ok(Rc::new(node))
}

impl Caller for Rc<Node> {
    async fn call(&mut self) -> Result<()> {
        Node::call(self, "echo.x", BODY, How::default()).await?;
        Ok(())
    }
}
