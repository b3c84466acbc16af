//! The Rust worker of the demo's mesh: counts the words of the texts that it is called with, and says how many they were.
//! Leaves when "words/over" is published.
//!
//!   worker MANAGER SECRET-FILE NAME
use meshwork::{Context, Kind, Node, Options};
use std::error::Error;
use std::fs::read_to_string;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;

fn words_of(text: &[u8]) -> u64 {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    text.split(space).filter(|word| !word.is_empty()).count() as u64
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [manager, secret, name] = &arguments[..] else {
        return Err("usage: worker MANAGER SECRET-FILE NAME".into());
    };
    let context = Context::open(Options::context())?;
    let options = Options::node("demo").set("member.service", "worker").set("member.name", name);
    let options = options.set("registry", "manager").set("registry.url", manager);
    let node = Node::open(&context, options.set("link.secret", read_to_string(secret)?.trim()))?;

    let (parts, words, name) = (AtomicU64::new(0), AtomicU64::new(0), name.clone());
    // A text that comes again with the same key is not counted again.
    let service = Options::service().set("methods", "count,about").set("dedupe.window", "1m");
    node.serve("words", service, move |event| {
        let Some(request) = event.request().filter(|_| event.kind() == Kind::Request) else { return };
        let answer = if event.topic() == "words.about" {
            format!("{} {} {} Rust", process::id(), parts.load(Relaxed), words.load(Relaxed))
        } else {
            let here = words_of(event.body());
            parts.fetch_add(1, Relaxed);
            words.fetch_add(here, Relaxed);
            format!("{here} {name}")
        };
        let _ = request.reply(&answer); // refused only where nobody waits any more
    })?;
    let (over, wait) = mpsc::channel();
    node.on(move |event| {
        if event.kind() == Kind::Message {
            let _ = over.send(()); // nobody waits a second time
        }
    })?;
    node.subscribe("words/over").wait()?;
    node.start().wait()?;
    wait.recv()?;
    context.join().expect("no handler panics");
    Ok(())
}
