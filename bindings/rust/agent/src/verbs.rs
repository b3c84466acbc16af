//! The verbs: each line one call of a public class.
use crate::words::{answer, flags, show, Words};
use crate::{follow, say, tell, Names, Thing};
use meshwork::{
    Ask, Batch, Connection, Consumer, Delivery, Error, Event, Flags, Message, Noun, Options, Provider, Result, Sent,
    Stat,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// The same call on whatever the name stands for.
macro_rules! each {
    ($thing:expr, $it:ident => $call:expr) => {
        match &$thing {
            Thing::Context($it) => $call,
            Thing::Provider($it) => $call,
            Thing::Consumer($it) => $call,
            other => {
                let $it = Connection::from_id(other.id());
                $call
            }
        }
    };
}

/// The same call on what can send; others are tried as a connection, whose refusal is the library's.
macro_rules! sender {
    ($thing:expr, $it:ident => $call:expr) => {
        match &$thing {
            Thing::Consumer($it) => $call,
            other => {
                let $it = Connection::from_id(other.id());
                $call
            }
        }
    };
}

struct Lent(u64);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        b"lent bytes"
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        say(&format!("! ctx RELEASED id={}", self.0));
    }
}

fn noun(word: &str) -> Noun {
    match word {
        "ctx" => Noun::Context,
        "consumer" => Noun::Consumer,
        "sub" => Noun::Subscription,
        _ => Noun::Provider,
    }
}

fn stat(word: &str) -> Option<Stat> {
    use Stat::*;
    let all = [
        Buffered,
        LastBeat,
        Strikes,
        BeatInterval,
        BeatCutoff,
        Rtt,
        Peers,
        BytesIn,
        BytesOut,
        Dropped,
        Queued,
        MessagesIn,
        MessagesOut,
    ];
    all.into_iter().find(|s| format!("{s:?}").to_uppercase() == word.replace('_', ""))
}

fn sent(result: Result<Sent>) -> (String, String) {
    match result {
        Ok(Sent::Buffered) => ("BUFFERED".into(), String::new()),
        Ok(Sent::Stored) => ("STORED".into(), String::new()),
        other => split(answer(other)),
    }
}

fn split(answer: String) -> (String, String) {
    let at = answer.find(' ').unwrap_or(answer.len());
    (answer[..at].into(), answer[at..].into())
}

fn told(key: &str, value: Result<String>) -> (String, String) {
    match value {
        Ok(value) => ("OK".into(), format!(" {key}={value}")),
        Err(e) => split(answer::<()>(Err(e))),
    }
}

fn nothing(_: ()) -> String {
    String::new()
}

/// Carries out one line; the status, and the words after it.
pub fn carry_out(w: &Words, names: &mut Names, event: Option<&Event<'_>>) -> (String, String) {
    static TOKENS: AtomicU64 = AtomicU64::new(0);
    let resolve = |names: &Names, name: &str| match event {
        Some(e) if name == "$peer" => Thing::Number(e.peer().id()),
        Some(e) if name == "$id" => Thing::Number(e.id()),
        _ => names.find(name),
    };
    let thing = resolve(names, &w.name);
    let object = w.name.split('.').next().unwrap_or_default().to_string();
    let op = w.number("op", 0);
    let marks = flags(&w.text("flags"));
    let body = match event {
        Some(e) if w.bytes("body") == Some(b"$body") => e.body(),
        _ => w.bytes("body").unwrap_or_default(),
    };
    let message = || -> Result<Message> {
        let kept = [Flags::TEXT, Flags::COMPRESS].into_iter().filter(|f| marks.contains(*f));
        let mut message = Message::copy(body, kept.fold(Flags::NONE, |all, f| all | f))?;
        w.meta().try_for_each(|(key, value)| message.set(key, value))?;
        Ok(message)
    };
    let on = w.number("on", 1) != 0;
    let done = match w.verb.as_str() {
        "provider" | "consumer" => open(w, names, &thing, &resolve(names, "ctx")),
        "start" => match &thing {
            Thing::Provider(p) => follow(names, object, op, p.start(), nothing),
            Thing::Consumer(c) => follow(names, object, op, c.start(), nothing),
            _ => return ("ENOTSUP".into(), " error=only%20parties%20start".into()),
        },
        "send" if op == 0 => return sent(message().and_then(|m| sender!(thing, x => x.send_with(&m, marks)))),
        "send" => message().and_then(|m| {
            let code = |d| if d == Delivery::Host { " code=1".into() } else { String::new() };
            follow(names, object, op, sender!(thing, x => x.send_confirmed(&m, marks)), code)
        }),
        "bytes" => return sent(sender!(thing, x => x.send_with(body, marks))),
        "records" => return records(w, names, &thing, body, marks),
        "wrap" => {
            let lent = Message::from_owner(Lent(w.number("hint", 1)), flags(""));
            return sent(lent.and_then(|m| sender!(thing, x => x.send_with(&m, marks))));
        }
        "publish" => match &thing {
            Thing::Provider(p) => message().and_then(|m| {
                let except = w.bytes("except").map(|_| Connection::from_id(resolve(names, &w.text("except")).id()));
                let code = |n| if n > 0 { format!(" code={n}") } else { String::new() };
                follow(names, object, op, p.publish_with(&w.text("topic"), &m, marks, except), code)
            }),
            _ => return ("UNSAID".into(), " error=only%20a%20provider%20has%20publish".into()),
        },
        "subscribe" => {
            let (alias, pattern) = (w.text("as"), w.text("pattern"));
            let options = w.options(Options::subscription(), &["pattern", "as", "op"]);
            let operation = if alias.is_empty() {
                sender!(thing, x => x.subscribe_with(&pattern, options))
            } else {
                let token = TOKENS.fetch_add(1, Ordering::Relaxed) + 1;
                let peer = Connection::from_id(thing.id());
                let (id, operation) = peer.subscription(&pattern, options, token);
                names.tokens.insert(token, alias.clone());
                names.add(&alias, Thing::Subscription(id));
                operation
            };
            follow(names, object, op, operation, nothing)
        }
        "unsubscribe" => follow(names, object, op, sender!(thing, x => x.unsubscribe(&w.text("pattern"))), nothing),
        "subscribed" => {
            let reached = sender!(thing, x => x.subscribed(&w.text("topic")));
            return told("value", reached.map(|yes| u8::from(yes).to_string()));
        }
        "cork" => match &thing {
            Thing::Provider(p) if on => p.cork(),
            Thing::Provider(p) => p.uncork(),
            other if on => sender!(*other, x => x.cork()),
            other => sender!(*other, x => x.uncork()),
        },
        "pause" => match &thing {
            Thing::Provider(p) if on => p.pause(),
            Thing::Provider(p) => p.resume(),
            other if on => sender!(*other, x => x.pause()),
            other => sender!(*other, x => x.resume()),
        },
        "close" if w.text("flags").contains("ABORT") => each!(thing, x => x.abort()),
        "close" => match &thing {
            Thing::Subscription(s) => s.close(),
            other => {
                let code = w.number("code", 0) as u16;
                each!(*other, x => x.close(code, w.bytes("reason").unwrap_or_default()))
            }
        },
        "drain" => {
            let deadline = Duration::from_millis(w.number("ms", 5000));
            follow(names, object, op, each!(thing, x => x.drain(deadline)), nothing)
        }
        "update" => {
            let kind = w.text("kind");
            let options = w.options(Options::new(noun(&kind)), &["op", "kind"]);
            match &thing {
                Thing::Context(c) => follow(names, object, op, c.update(options), nothing),
                Thing::Provider(p) => follow(names, object, op, p.update(options), nothing),
                Thing::Consumer(c) => follow(names, object, op, c.update(options), nothing),
                _ => return ("ENOTSUP".into(), " error=nothing%20to%20update".into()),
            }
        }
        "token" => Connection::from_id(thing.id()).set_token(w.number("token", 0)),
        "state" => return told("value", each!(thing, x => x.state()).map(|s| (s as i32).to_string())),
        "stat" => match stat(&w.text("what")) {
            Some(what) => return told("value", each!(thing, x => x.stat(what)).map(|n| n.to_string())),
            None => return ("UNSAID".into(), " error=no%20such%20Stat".into()),
        },
        "info" if op == 0 => {
            let fact = each!(thing, x => x.info(&w.text("what")));
            return told("body", fact.map(|m| show(m.body(), usize::MAX)));
        }
        "info" => {
            let body = |m: Message| format!(" body={}", show(m.body(), usize::MAX));
            follow(names, object, op, each!(thing, x => x.gather(&w.text("what"))), body)
        }
        "answer" if w.number("allow", 1) == 1 => Ask::from_id(thing.id()).allow(&w.text("json")),
        "answer" => Ask::from_id(thing.id()).refuse(&w.text("json")),
        "cancel" => names.ops.get(&op).map_or(Ok(()), |cancel| cancel()),
        "conf" => {
            let options = w.options(Options::new(noun(&w.name)), &["get"]);
            let key = w.text("get");
            return match options.get(if key.is_empty() { "log.level" } else { &key }) {
                Ok(value) if !key.is_empty() => ("OK".into(), format!(" value={}", show(value.as_bytes(), usize::MAX))),
                other => split(answer(other)),
            };
        }
        "hook" => {
            names.hooks.push((w.name.clone(), w.text("kind"), w.text("do")));
            Ok(())
        }
        "join" => match &thing {
            Thing::Context(c) if event.is_some() => {
                c.join().map_err(|e| *e.downcast::<Error>().expect("no handler here panics"))
            }
            _ => return ("UNSAID".into(), " error=join%20closes%20first".into()),
        },
        _ => return ("UNSAID".into(), " error=the%20context's%20thread%20does%20this".into()),
    };
    split(answer(done))
}

fn open(w: &Words, names: &mut Names, _: &Thing, context: &Thing) -> Result<()> {
    let Thing::Context(context) = context else { panic!("ctx comes first") };
    let name = w.name.clone();
    if w.verb == "provider" {
        let provider = Provider::open(context, w.options(Options::provider(), &[]))?;
        provider.on(move |event| tell(&name, &event))?;
        names.add(&w.name, Thing::Provider(Arc::new(provider)));
    } else {
        let consumer = Consumer::open(context, w.options(Options::consumer(), &[]))?;
        consumer.on(move |event| tell(&name, &event))?;
        names.add(&w.name, Thing::Consumer(Arc::new(consumer)));
    }
    Ok(())
}

fn records(w: &Words, names: &Names, to: &Thing, body: &[u8], marks: Flags) -> (String, String) {
    let Thing::Context(context) = names.find("ctx") else { panic!("ctx comes first") };
    let mut batch = Batch::new();
    for _ in 0..w.number("n", 1) {
        batch.push(Connection::from_id(to.id()), body, marks);
    }
    sent(batch.send(&context).and_then(|answers| answers.into_iter().find(Result::is_err).unwrap_or(Ok(Sent::Now))))
}
