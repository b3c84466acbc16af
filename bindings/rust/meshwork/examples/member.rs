//! The Rust member of the demo's second part: has the words of a file counted,
//! 50 lines a call, over the one connection that the members share. Whichever
//! of them leads has it, and passes the calls of all on.
//!
//!   member URL CA SECRET-FILE DIR NAME FILE
use meshwork::{Consumer, Context, Flags, How, Kind, Message, Options, Request, Share};
use std::collections::VecDeque;
use std::error::Error;
use std::fs::{read, read_to_string};
use std::sync::{mpsc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Passes calls on over a connection of its own, in their order, while others are on their way.
fn lead(context: &Context, options: Options, calls: mpsc::Receiver<(Request, Message)>) -> meshwork::Result<()> {
    let consumer = Consumer::open(context, options)?;
    consumer.start().wait()?;
    let (asked, open) = mpsc::channel();
    let answers = thread::spawn(move || {
        for (request, call) in open {
            let request: Request = request;
            let call: meshwork::Operation<Message> = call;
            // Refused only where nobody waits any more.
            let _ = match call.wait() {
                Ok(answer) => request.reply(&answer),
                Err(error) => request.fail(error.code(), ""),
            };
        }
    });
    for (request, text) in calls {
        let how = How { parent: Some(request), ..How::default() };
        asked.send((request, consumer.call("Words.count", &text, how))).expect("it runs until the end");
    }
    drop(asked);
    answers.join().expect("it does not panic");
    consumer.close(0, "")
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, ca, secret, dir, name, path] = &arguments[..] else {
        return Err("usage: member URL CA SECRET-FILE DIR NAME FILE".into());
    };
    let parameters = format!(r#"{{"key":"{}"}}"#, read_to_string(secret)?.trim());
    let (url, ca) = (url.clone(), ca.clone());
    let upstream = move || Options::consumer().set("url", &url).set("tls.ca_file", &ca).set("parameters", &parameters);
    let context = Context::open(Options::context())?;
    let share = Share::open(&context, Options::share("words").set("dir", dir))?;
    let (leader, calls) = (Mutex::new(None), context.clone());
    share.on(move |event| match event.kind() {
        Kind::Leader => {
            eprintln!("{} {}", if event.leads() == Some(true) { "leads" } else { "follows" }, event.id());
            *leader.lock().unwrap() = (event.leads() == Some(true)).then(|| {
                let (give, take) = mpsc::channel();
                let (context, options) = (calls.clone(), upstream());
                thread::spawn(move || lead(&context, options, take).unwrap_or_else(|e| eprintln!("upstream: {e}")));
                give
            });
        }
        Kind::Request => {
            let message = event.message().expect("a request has one");
            if let Some(leader) = &*leader.lock().unwrap() {
                let _ = leader.send((event.request().unwrap(), message)); // else nobody waits any more
            }
        }
        _ => (),
    })?;
    share.start().wait()?;

    let file = read(path)?;
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let (mut calls, mut failed, mut words) = (0, 0, 0u64);
    let (mut last, mut longest, mut open) = (Instant::now(), Duration::ZERO, VecDeque::new());
    let mut texts = lines.chunks(50);
    loop {
        while open.len() < 16 {
            let Some(text) = texts.next() else { break };
            let key = format!("{name}/{calls}"); // safe to repeat
            let message = Message::copy(&text.concat(), Flags::NONE, &[("key", key.as_bytes())])?;
            let how = How { timeout: Some(Duration::from_secs(30)), ..How::default() };
            open.push_back(share.call("count", &message, how));
            calls += 1;
        }
        let Some(call) = open.pop_front() else { break };
        match call.wait() {
            Ok(answer) => words += std::str::from_utf8(answer.body())?.parse::<u64>()?,
            Err(error) => {
                eprintln!("failed: {error}");
                failed += 1;
            }
        }
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    share.close(0, "")?;
    context.join().expect("no handler panics");
    let longest = longest.as_secs_f64() * 1e3;
    eprintln!(r#"{{"calls":{calls},"failed":{failed},"words":{words},"longest_ms":{longest:.1}}}"#);
    std::process::exit((failed != 0).into());
}
