//! The Rust agent of the scenario table; tests/scenario/README.md has the protocol. Doors: `run` (the default of a
//! context), `dispatch` (threads=1) and `inline`.
mod calls;
mod lent;
mod things;

use lent::Lent;
use meshwork::*;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use things::{name_of, names, Names, Thing};

/// One line: words, key=value, %XX escapes.
struct Words {
    verb: String,
    name: String,
    args: Vec<(String, Vec<u8>)>,
}

impl Words {
    fn cut(line: &str) -> Words {
        let mut w = Words { verb: String::new(), name: String::new(), args: Vec::new() };
        for (i, word) in line.split_whitespace().enumerate() {
            match word.split_once('=') {
                _ if i == 0 => w.verb = word.into(),
                None => w.name = word.into(),
                Some((key, text)) => w.args.push((key.into(), value(text))),
            }
        }
        w
    }

    fn bytes(&self, key: &str) -> &[u8] {
        self.args.iter().find(|(k, _)| k == key).map_or(&[], |(_, v)| v)
    }

    fn text(&self, key: &str) -> String {
        String::from_utf8_lossy(self.bytes(key)).into()
    }

    fn number(&self, key: &str, absent: u64) -> u64 {
        self.text(key).parse().unwrap_or(absent)
    }

    fn flags(&self) -> Flags {
        self.text("flags").split('+').filter_map(Flags::named).fold(Flags::NONE, |all, flag| all | flag)
    }

    fn options(&self, options: Options, own: &[&str]) -> Options {
        let given = self.args.iter().filter(|(key, _)| !own.contains(&key.as_str()));
        given.fold(options, |all, (key, value)| all.set(key, String::from_utf8_lossy(value)))
    }
}

fn value(word: &str) -> Vec<u8> {
    if let Some(n) = word.strip_prefix('@') {
        return (b'a'..=b'z').cycle().take(n.parse().unwrap_or(0)).collect();
    }
    let mut parts = word.split('%');
    let plain = parts.next().unwrap_or_default().bytes();
    let escaped = parts.flat_map(|part| u8::from_str_radix(&part[..2], 16).into_iter().chain(part[2..].bytes()));
    plain.chain(escaped).collect()
}

fn show(bytes: &[u8]) -> String {
    let one = |b: &u8| if b.is_ascii_alphanumeric() { char::from(*b).to_string() } else { format!("%{b:02X}") };
    bytes.iter().map(one).collect()
}

/// Fields as words; what is empty or 0 is left out.
fn facts(fields: &[(&str, String)]) -> String {
    fields.iter().filter(|(_, v)| !["", "0", "OK"].contains(&&v[..])).map(|(k, v)| format!(" {k}={v}")).collect()
}

fn failure(e: &Error, key: &str) -> String {
    format!("{} {key}={}", &e.name()[3..], show(e.to_string().as_bytes()))
}

/// Every event becomes one line, and may carry out another.
fn tell(own: &str, event: &Event<'_>) {
    let names = &mut *names();
    let (kind, body) = (event.kind(), event.body());
    let object = match event.token() {
        0 | 0x8000_0000_0000_0000.. => own.to_string(), // of a service, too
        _ if kind == Kind::Closed => name_of(names, event.id(), "#"), // of a subscription
        token => format!("token:{token}"),
    };
    let id = match kind {
        Kind::Ask => name_of(names, event.id(), &format!("{own}.ask")),
        Kind::Request if event.id() != 0 => name_of(names, event.id(), &format!("{own}.r")),
        Kind::Closed | Kind::Message | Kind::Cancel | Kind::Writable if event.id() != 0 => {
            name_of(names, event.id(), "#")
        }
        _ => event.id().to_string(),
    };
    let peer = Some(event.peer().id()).filter(|id| *id != 0);
    let peer = peer.map_or(String::new(), |id| name_of(names, id, &format!("{own}.")));
    let body = if body.len() > 512 && matches!(kind, Kind::Message | Kind::Dropped | Kind::Request) {
        let hash = body.iter().fold(2166136261u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(16777619));
        format!("@{}:{hash:08x}", body.len())
    } else {
        show(body)
    };
    let fields = [
        ("status", event.status().name()[3..].to_string()),
        ("code", event.code().to_string()),
        ("id", id.clone()),
        ("peer", peer.clone()),
        ("flags", format!("{:?}", event.flags()).replace('|', "+")),
        ("topic", show(event.topic().as_bytes())),
        ("meta", show(event.meta())),
    ];
    let body = if body.is_empty() { body } else { format!(" body={body}") };
    println!("! {object} {}{}{body}", kind.name(), facts(&fields));
    if let Some(Thing::Text(line)) = names.get(&format!("{object} {}", kind.name())) {
        let w = Words::cut(
            &line
                .replace("$peer", &peer)
                .replace("$id", if id == "0" { "#0" } else { &id })
                .replace("$body", &show(event.body())),
        );
        let answer = match names.get("ctx") {
            Some(Thing::Context(c)) if w.verb == "join" => Err(*c.join().unwrap_err().downcast().unwrap()),
            _ => carry_out(&w, names),
        };
        let answer = answer.unwrap_or_else(|e| failure(&e, "error"));
        println!("! {object} HOOK verb={} status={}", w.verb, answer.split(' ').next().unwrap_or_default());
    }
}

/// Lets an operation go on; where the line has an op, its end is told.
fn follow<T: 'static>(w: &Words, names: &mut Names, mut it: Operation<T>, told: fn(T) -> String) -> Result<String> {
    let (op, object) = (w.text("op"), w.name.split('.').next().unwrap_or_default().to_string());
    let name = format!("{} {op}", w.name);
    it.on_done(move |done| {
        let end = done.map_or_else(|e| format!(" status={}", failure(&e, "body")), told);
        if !op.is_empty() {
            println!("! {object} DONE id={op}{end}");
        }
    })?;
    names.insert(name, Thing::Operation(Box::new(move || it.cancel())));
    Ok("OK".into())
}

fn code(n: usize) -> String {
    facts(&[("code", n.to_string())])
}

/// Makes one call. Most verbs are the same for everything that has a number.
fn carry_out(w: &Words, names: &mut Names) -> Result<String> {
    let of = |name: &str| names.get(name).map(|thing| Connection::from_id(thing.id()));
    let (it, except) = (of(&w.name).unwrap_or(Connection::from_id(0)), of(&w.text("except")));
    let (body, flags, what, on) = (w.bytes("body"), w.flags(), w.text("what"), w.number("on", 1) == 1);
    let nouns = [
        ("ctx", Noun::Context),
        ("consumer", Noun::Consumer),
        ("sub", Noun::Subscription),
        ("hub", Noun::Hub),
        ("channel", Noun::Channel),
        ("share", Noun::Share),
        ("elect", Noun::Election),
        ("node", Noun::Node),
        ("manager", Noun::Manager),
    ];
    let noun = |kind: &str| nouns.iter().find(|(name, _)| *name == kind).map_or(Noun::Provider, |(_, noun)| *noun);
    let options = || w.options(Options::new(noun(&w.text("kind"))), &["op", "kind"]);
    let headers: Vec<_> = w.args.iter().filter_map(|(k, v)| Some((k.strip_prefix("meta.")?, &v[..]))).collect();
    let message = || Message::copy(body, flags & (Flags::TEXT | Flags::COMPRESS), &headers);
    let lent = || Message::from_owner(Lent(w.text("hint")), Flags::NONE, &[]);
    let sent = |sent: Sent| if sent == Sent::Buffered { "BUFFERED".into() } else { "OK".to_string() };
    let begun = names.get(&format!("{} {}", w.name, w.text("op")));
    match (w.verb.as_str(), names.get(&w.name), names.get("ctx"), begun) {
        (
            "provider" | "consumer" | "channel" | "hub" | "share" | "elect" | "node" | "manager",
            _,
            Some(Thing::Context(context)),
            ..,
        ) => {
            if let Some(thing) = Thing::open(context, w)? {
                names.insert(w.name.clone(), thing);
            }
        }
        ("start" | "update", Some(thing), ..) => {
            let begun = if w.verb == "start" { thing.start() } else { thing.update(options()) };
            return begun.map_or_else(|| Ok("EKIND".into()), |it| follow(w, names, it, |_| "".into()));
        }
        ("publish", Some(Thing::Provider(p)), ..) => {
            return follow(w, names, p.publish_with(&w.text("topic"), &message()?, flags, except), code);
        }
        ("publish", Some(Thing::Channel(c)), ..) => {
            let sent = c.publish_confirmed(&w.text("topic"), &message()?, flags);
            return follow(w, names, sent, |how| code(how as usize));
        }
        ("publish", Some(Thing::Share(s)), ..) => {
            let sent = s.publish_confirmed(&w.text("topic"), &message()?, flags);
            return follow(w, names, sent, |how| code(how as usize));
        }
        ("publish", Some(Thing::Node(n)), ..) => {
            return follow(w, names, n.publish_counted(&w.text("topic"), &message()?, flags), code);
        }
        ("send", ..) if w.text("op").is_empty() => return it.send_with(&message()?, flags).map(sent),
        ("send", ..) => return follow(w, names, it.send_confirmed(&message()?, flags), |how| code(how as usize)),
        ("bytes", ..) => return it.send_with(body, flags).map(sent),
        ("records", _, Some(Thing::Context(context)), ..) => {
            let mut batch = Batch::new();
            (0..w.number("n", 1)).for_each(|_| batch.push(it, body, flags));
            return batch.send(context)?.into_iter().last().unwrap().map(sent);
        }
        ("wrap", ..) => return it.send_with(&lent()?, flags).map(sent),
        ("subscribe", ..) => {
            let (alias, options) = (w.text("as"), w.options(Options::subscription(), &["pattern", "as", "op"]));
            if alias.is_empty() {
                return follow(w, names, it.subscribe_with(&w.text("pattern"), options), |_| "".into());
            }
            let (subscription, operation) = it.subscription(&w.text("pattern"), options, 1);
            names.insert(alias, Thing::Number(subscription.id()));
            return follow(w, names, operation, |_| "".into());
        }
        ("unsubscribe", ..) => return follow(w, names, it.unsubscribe(&w.text("pattern")), |_| "".into()),
        ("subscribed", ..) => return Ok(format!("OK value={}", u8::from(it.subscribed(&w.text("topic"))?))),
        ("cork", ..) => return if on { it.cork() } else { it.uncork() }.map(|_| "OK".into()),
        ("pause", ..) => return if on { it.pause() } else { it.resume() }.map(|_| "OK".into()),
        ("close", ..) if w.text("flags") == "ABORT" => it.abort()?,
        ("close", ..) => it.close(w.number("code", 0) as u16, w.bytes("reason"))?,
        ("drain", ..) => return follow(w, names, it.drain(Duration::from_millis(w.number("ms", 5000))), |_| "".into()),
        ("token", ..) => it.set_token(w.number("token", 0))?,
        ("state", ..) => return Ok(format!("OK value={}", it.state()?.number())),
        ("stat", ..) => return Ok(format!("OK value={}", it.stat(Stat::named(&what).unwrap_or(Stat::Other(0)))?)),
        ("info", ..) if w.text("op").is_empty() => return Ok(format!("OK body={}", show(it.info(&what)?.body()))),
        ("info", ..) => return follow(w, names, it.gather(&what), |fact| format!(" body={}", show(fact.body()))),
        ("answer", ..) if w.number("allow", 1) == 1 => Ask::from_id(it.id()).allow(&w.text("json"))?,
        ("answer", ..) => Ask::from_id(it.id()).refuse(&w.text("json"))?,
        ("conf", ..) => {
            let (options, get) = (w.options(Options::new(noun(&w.name)), &["get"]), w.text("get"));
            let value = options.get(if get.is_empty() { "log.level" } else { &get })?; // a refusal, if there was one
            return Ok(format!("OK value={}", show(value.as_bytes())));
        }
        ("hook", ..) => drop(names.insert(format!("{} {}", w.name, w.text("kind")), Thing::Text(w.text("do")))),
        ("cancel", .., Some(Thing::Operation(cancel))) => cancel()?,
        _ => return calls::carry_out(w, names),
    }
    Ok("OK".into())
}

fn main() {
    let door = std::env::args().nth(1).unwrap_or_default();
    assert!(["run", "dispatch", "inline"].contains(&door.as_str()), "usage: meshwork-agent run|dispatch|inline");
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).map_or(0, |all| all.count());
    let ((major, minor, patch), threads) = (meshwork::version(), count("task"));
    println!("hello rust {door} {major}.{minor}.{patch}");
    for line in std::io::stdin().lines().map_while(|line| line.ok().filter(|line| line != "quit")) {
        let w = Words::cut(&line);
        let answer = match w.verb.as_str() {
            "ctx" => {
                let delivery = if door == "inline" { "inline" } else { "queued" };
                let options = Options::context().set("threads", u8::from(door != "run")).set("delivery", delivery);
                Context::open(w.options(options, &[])).and_then(|context| {
                    context.on(|event| tell("ctx", &event))?;
                    names().insert("ctx".into(), Thing::Context(context));
                    Ok("OK".into())
                })
            }
            "end" => {
                let Some(Thing::Context(context)) = names().remove("ctx") else { panic!("ctx comes first") };
                context.join().expect("no handler panics");
                names().clear();
                let until = Instant::now() + Duration::from_secs(1);
                while count("task") > threads && Instant::now() < until {
                    std::thread::yield_now(); // a joined thread stands in /proc a moment longer than in the process
                }
                Ok(format!("OK fds={} threads={}", count("fd") - 1, count("task")))
            }
            _ => carry_out(&w, &mut names()),
        };
        println!("= {}", answer.unwrap_or_else(|e| failure(&e, "error")));
    }
    std::process::exit(0); // with everything open that is open
}
