//! The Rust agent of the scenario table; tests/scenario/README.md has the protocol. Doors: `run` (the default of a
//! context), `dispatch` (threads=1) and `inline`.
mod verbs;
mod words;

use meshwork::{Consumer, Context, Event, Kind, Operation, Options, Provider, Result, Subscription};
use std::collections::{BTreeMap, HashMap};
use std::future::{poll_fn, Future};
use std::io::{BufRead, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context as TaskContext, Wake, Waker};
use words::{show, Words};

/// What a name stands for.
#[derive(Clone)]
pub enum Thing {
    Context(Context),
    Provider(Arc<Provider>),
    Consumer(Arc<Consumer>),
    Subscription(Subscription),
    Number(u64),
}

impl Thing {
    pub fn id(&self) -> u64 {
        match self {
            Thing::Context(c) => c.id(),
            Thing::Provider(p) => p.id(),
            Thing::Consumer(c) => c.id(),
            Thing::Subscription(s) => s.id(),
            Thing::Number(n) => *n,
        }
    }
}

type Cancel = Box<dyn Fn() -> Result<()> + Send>;

#[derive(Default)]
pub struct Names {
    pub things: Vec<(String, Thing)>,
    pub tokens: HashMap<u64, String>,
    pub hooks: Vec<(String, String, String)>,
    pub ops: BTreeMap<u64, Cancel>,
}

impl Names {
    pub fn add(&mut self, name: &str, thing: Thing) {
        self.things.retain(|(n, _)| n != name);
        self.things.push((name.into(), thing));
    }

    pub fn find(&self, name: &str) -> Thing {
        if let Some(number) = name.strip_prefix('#') {
            return Thing::Number(number.parse().unwrap_or(0));
        }
        self.things.iter().find(|(n, _)| n == name).map_or(Thing::Number(0), |(_, t)| t.clone())
    }

    fn of(&self, id: u64) -> String {
        self.things.iter().rev().find(|(_, t)| t.id() == id).map_or(format!("#{id}"), |(n, _)| n.clone())
    }

    /// The next free number: "p.1", "p.ask2".
    fn number(&mut self, base: &str, infix: &str, id: u64) {
        let free =
            |n: &usize| self.things.iter().all(|(name, t)| *name != format!("{base}.{infix}{n}") || t.id() == id);
        let n = (1..).find(free).unwrap();
        self.add(&format!("{base}.{infix}{n}"), Thing::Number(id));
    }
}

/// One line or one event at a time, so that what a call began is known before the next event is told.
static NAMES: Mutex<Option<Names>> = Mutex::new(None);

pub fn names() -> MutexGuard<'static, Option<Names>> {
    let mut names = NAMES.lock().unwrap();
    names.get_or_insert_with(Names::default);
    names
}

pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|_| out.flush());
}

/// "PeerUp" -> "PEER_UP"
fn kind_name(kind: Kind) -> String {
    let mut name = String::new();
    for c in format!("{kind:?}").chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// Every event becomes one line: ! OBJECT KIND [status=] [code=] [id=] [peer=] [flags=] [topic=] [meta=] [body=]
pub fn tell(own: &str, event: &Event<'_>) {
    let mut guard = names();
    let names = guard.as_mut().unwrap();
    let object = match event.token() {
        0 => own.to_string(),
        token => names.tokens.get(&token).cloned().unwrap_or(format!("token:{token}")),
    };
    let kind = kind_name(event.kind());
    match event.kind() {
        Kind::PeerUp => names.number(&object, "", event.peer().id()),
        Kind::Ask => names.number(&object, "ask", event.id()),
        _ => (),
    }
    let mut line = format!("! {object} {kind}");
    let mut field = |key: &str, value: String| {
        if !value.is_empty() {
            line += &format!(" {key}={value}");
        }
    };
    let number = |n: i64| if n == 0 { String::new() } else { n.to_string() };
    field("status", if event.status().value() == 0 { String::new() } else { words::status(event.status()).into() });
    field("code", number(event.code().into()));
    field(
        "id",
        match event.kind() {
            _ if event.id() == 0 => String::new(),
            Kind::Ask | Kind::Closed | Kind::Message => names.of(event.id()),
            _ => event.id().to_string(),
        },
    );
    field("peer", if event.peer().id() == 0 { String::new() } else { names.of(event.peer().id()) });
    field("flags", words::flags_text(event.flags()));
    field("topic", show(event.topic().as_bytes(), usize::MAX));
    field("meta", show(event.meta(), usize::MAX));
    let message = matches!(event.kind(), Kind::Message | Kind::Dropped);
    field("body", show(event.body(), if message { 512 } else { usize::MAX }));
    say(&line);
    let hook = names.hooks.iter().find(|(o, k, _)| *o == object && *k == kind).map(|(_, _, l)| l.clone());
    if let Some(hook) = hook {
        let w = Words::cut(hook.as_bytes()).expect("a hook is a line");
        let (status, _) = verbs::carry_out(&w, names, Some(event));
        say(&format!("! {object} HOOK verb={} status={status}", w.verb));
    }
}

/// A task that is polled where it is woken, so that its DONE is told in its place among the events.
struct Task(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut future = self.0.lock().unwrap();
        if let Some(f) = future.as_mut() {
            if f.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready() {
                *future = None;
            }
        }
    }
}

/// Follows an operation: its result becomes a line "! OBJECT DONE id=OP ...".
pub fn follow<T: Send + 'static>(
    names: &mut Names,
    object: String,
    op: u64,
    operation: Operation<T>,
    facts: fn(T) -> String,
) -> Result<()> {
    if let Some(refusal) = operation.refusal() {
        return Err(refusal.clone());
    }
    if op == 0 {
        operation.detach();
        return Ok(());
    }
    let operation = Arc::new(Mutex::new(operation));
    let shared = operation.clone();
    names.ops.insert(op, Box::new(move || shared.lock().unwrap().cancel()));
    let task = async move {
        let done = poll_fn(|cx| Pin::new(&mut *operation.lock().unwrap()).poll(cx)).await;
        let failed = |e: meshwork::Error| {
            format!(" status={} body={}", words::status(e.code()), show(e.to_string().as_bytes(), usize::MAX))
        };
        let end = done.map_or_else(failed, facts);
        say(&format!("! {object} DONE id={op}{end}"));
    };
    Arc::new(Task(Mutex::new(Some(Box::pin(task))))).wake();
    Ok(())
}

/// Counts of /proc/self, without what the counting itself needs.
fn count(what: &str, own: usize) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).map_or(0, |d| d.count() - own)
}

fn open(door: &str, w: &Words) -> Result<()> {
    let options = match door {
        "inline" => Options::context().set("threads", 1).set("delivery", "inline"),
        "dispatch" => Options::context().set("threads", 1),
        _ => Options::context(),
    };
    let context = Context::open(w.options(options, &[]))?;
    context.on(|event| tell("ctx", &event))?;
    names().as_mut().unwrap().add("ctx", Thing::Context(context));
    Ok(())
}

fn end(threads: usize) -> String {
    let Thing::Context(context) = names().as_ref().unwrap().find("ctx") else { return "ESTATE".into() };
    if context.join().is_err() {
        return "EINTERNAL".into();
    }
    drop(std::mem::take(&mut *NAMES.lock().unwrap()));
    drop(context);
    // A joined thread stands in /proc a moment longer than in the process.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(1);
    while count("task", 0) > threads && std::time::Instant::now() < until {
        std::thread::yield_now();
    }
    format!("OK fds={} threads={}", count("fd", 1), count("task", 0))
}

fn main() {
    let door = std::env::args().nth(1).unwrap_or_default();
    if !["run", "dispatch", "inline"].contains(&door.as_str()) {
        eprintln!("usage: meshwork-agent run|dispatch|inline");
        std::process::exit(2);
    }
    let (major, minor, patch) = meshwork::version();
    say(&format!("hello rust {door} {major}.{minor}.{patch}"));
    let threads = count("task", 0);
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.expect("stdin");
        if line == b"quit" {
            std::process::exit(0); // with everything open that is open
        }
        let Some(w) = Words::cut(&line) else {
            say("= EINVAL error=bad%20line");
            continue;
        };
        let answer = match w.verb.as_str() {
            "ctx" => words::answer(open(&door, &w)),
            "end" => end(threads),
            _ => {
                let (status, extra) = verbs::carry_out(&w, names().as_mut().unwrap(), None);
                format!("{status}{extra}")
            }
        };
        say(&format!("= {answer}"));
    }
}
