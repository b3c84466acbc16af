//! Nodes as Rust sees them: futures, streams, handlers. What a mesh does when members die is the scenario table's matter.
mod place;

use futures_util::StreamExt;
use meshwork::{Answers, Code, Context, Event, Flags, How, Kind, Manager, Message, Node, Options, Result};
use place::{context, Place};
use std::sync::{mpsc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn options(place: &Place, name: &str) -> Options {
    place.put(Options::node("try")).set("member.name", name).set("registry.scan", "50ms")
}

/// A started node that serves words; its requests go to the handler.
fn serving(context: &Context, place: &Place, name: &str, hear: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Node {
    let node = Node::open(context, options(place, name)).unwrap();
    let hear = move |event: Event<'_>| {
        if event.kind() == Kind::Request {
            hear(&event)
        }
    };
    node.serve("words", Options::service(), hear).unwrap();
    node.start().wait().unwrap();
    node
}

fn says(name: &'static str) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
    move |event| {
        let caller = event.message().unwrap();
        let caller = String::from_utf8_lossy(caller.header("caller").unwrap()).into_owned();
        event.request().unwrap().reply(&format!("{name} to {caller}")).unwrap()
    }
}

/// A node that is not started, and waits until others serve words; its events of some kinds.
fn asking(
    context: &Context,
    place: &Place,
    others: u32,
    kinds: &'static [Kind],
) -> (Node, mpsc::Receiver<Event<'static>>) {
    let gate = if others == 0 { "{}".into() } else { format!("{{\"words\":{others}}}") };
    let node = Node::open(context, options(place, "asks").set("gate.services", gate)).unwrap();
    let (told, hear) = mpsc::channel();
    let told = Mutex::new(told);
    node.on(move |event| {
        if kinds.contains(&event.kind()) {
            let _ = told.lock().unwrap().send(event.into_owned());
        }
    })
    .unwrap();
    (node, hear)
}

fn text(m: &Message) -> String {
    String::from_utf8(m.body().to_vec()).unwrap()
}

#[test]
fn everything_of_a_node_may_go_to_another_thread() {
    fn sendable<T: Send + Sync>() {}
    fn movable<T: Send>() {}
    sendable::<Node>();
    movable::<Answers>();
}

#[test]
fn nodes_find_and_call_each_other() {
    let (place, here, there, third) = (Place::new(), context(), context(), context());
    let _one = serving(&here, &place, "one", says("one"));
    let two = serving(&there, &place, "two", says("two"));
    let (node, told) = asking(&third, &place, 2, &[Kind::ServiceDown, Kind::MemberDown, Kind::Ready]);
    node.start().wait().unwrap();
    let mut answers: Vec<_> =
        (0..2).map(|_| text(&node.call("words.count", "a b", How::default()).wait().unwrap())).collect();
    answers.sort();
    assert_eq!(answers, ["one to asks", "two to asks"]);
    let only = How { options: Some(Options::call().set("only", "two")), ..How::default() };
    assert_eq!(text(&node.call("words.count", "", only).wait().unwrap()), "two to asks");
    assert_eq!(node.call("sums", "", How::default()).wait().unwrap_err().code(), Code::ENOSERVICE);
    let members = text(&node.gather("members").wait().unwrap());
    assert!(["asks", "one", "two"].iter().all(|name| members.contains(&format!("\"name\":\"{name}\""))), "{members}");

    two.drain(PATIENCE).wait().unwrap();
    let (mut served, mut met, mut gone) = (2, true, None);
    while served > 1 || met || gone.is_none() {
        let event = told.recv_timeout(PATIENCE).unwrap(); // that it left may come before what it serves no more
        match event.kind() {
            Kind::ServiceDown => served = event.code(),
            Kind::Ready => met = event.code() == 1,
            _ => gone = event.text().map(str::to_string),
        }
    }
    assert!(served == 1 && gone.as_ref().unwrap().contains("it left"), "{gone:?}");
}

#[test]
fn all_members_answer() {
    let (place, here, there, third) = (Place::new(), context(), context(), context());
    let _one = serving(&here, &place, "one", says("one"));
    let (asked, waits) = mpsc::channel();
    let asked = Mutex::new(asked);
    let two = Node::open(&there, options(&place, "two")).unwrap();
    two.serve("words", Options::service(), move |event| match (event.kind(), event.topic()) {
        (Kind::Request, "words.parts") => {
            event.request().unwrap().part("first").unwrap();
            event.request().unwrap().reply("last").unwrap();
        }
        (Kind::Request, "words.never") | (Kind::Cancel, _) => asked.lock().unwrap().send(event.kind()).unwrap(),
        (Kind::Request, _) => event.request().unwrap().fail(Code::EREMOTE, r#"{"message":"two cannot"}"#).unwrap(),
        _ => (),
    })
    .unwrap();
    two.start().wait().unwrap();
    let (node, _) = asking(&third, &place, 2, &[]);
    node.start().wait().unwrap();

    let mut answers = node.broadcast("words.count", "a b", How::default());
    let work = async {
        let mut said = Vec::new();
        while let Some(answer) = StreamExt::next(&mut answers).await {
            let answer = answer?;
            said.push((
                answer.member,
                answer.said.map(|m| text(&m)).map_err(|e| (e.code(), e.to_string())),
                answer.more,
            ));
        }
        said.sort_by(|a, b| a.0.cmp(&b.0));
        Result::Ok(said)
    };
    let said = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work).unwrap();
    assert_eq!(said[0], ("one".into(), Ok("one to asks".into()), false));
    let (code, why) = said[1].1.clone().unwrap_err();
    assert!(said[1].0 == "two" && code == Code::EREMOTE && why.contains("two cannot"), "{said:?}");
    assert_eq!(answers.end().unwrap_err().code(), Code::EPARTIAL);

    let parts = node.broadcast("words.parts", "", How::default()).wait().unwrap();
    let mut parts: Vec<_> = parts.into_iter().map(|a| (a.member, text(&a.said.unwrap()), a.more)).collect();
    parts.sort_by(|a, b| a.0.cmp(&b.0)); // stable: of a member in its order
    let expected = [("one", "one to asks", false), ("two", "first", true), ("two", "last", false)];
    assert_eq!(parts, expected.map(|(member, said, more)| (member.to_string(), said.to_string(), more)));

    let never = node.broadcast("words.never", "", How::default());
    assert_eq!(waits.recv_timeout(PATIENCE).unwrap(), Kind::Request);
    drop(never); // cancels it there
    assert_eq!(waits.recv_timeout(PATIENCE).unwrap(), Kind::Cancel);
    assert_eq!(node.broadcast("sums", "", How::default()).wait().unwrap_err().code(), Code::ENOSERVICE);
}

#[test]
fn events_of_a_mesh() {
    let (place, here, there) = (Place::new(), context(), context());
    let hears = Node::open(&here, options(&place, "hears")).unwrap();
    let mut events = hears.events().unwrap().blocking();
    hears.start().wait().unwrap();
    let (speaks, told) = asking(&there, &place, 0, &[Kind::MemberChanged, Kind::Message]);
    speaks.start().wait().unwrap();
    hears.subscribe("log/*").wait().unwrap();
    loop {
        told.recv_timeout(PATIENCE).unwrap(); // a member that was suspected tells so, too
        if speaks.publish_counted("log/warn", "disk full", Flags::NONE).wait().unwrap() == 1 {
            break;
        }
    }
    let message = events.find(|event| event.kind() == Kind::Message).unwrap();
    assert_eq!((message.topic(), message.text()), ("log/warn", Some("disk full")));
    assert_eq!(message.message().unwrap().header("member"), Some(&b"asks"[..]));
    speaks.subscribe("log/here").wait().unwrap();
    speaks.publish_counted("log/here", "mine", Flags::LOCAL).wait().unwrap();
    let mine =
        std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok()).find(|event| event.kind() == Kind::Message).unwrap();
    assert!(mine.text() == Some("mine") && mine.flags().contains(Flags::LOCAL));
    hears.unsubscribe("log/*").wait().unwrap();
    assert!(!hears.subscribed("log/warn").unwrap());
}

#[test]
fn a_queue_gives_one_at_a_time_and_takes_back() {
    let (place, here, there) = (Place::new(), context(), context());
    let node = Node::open(&here, options(&place, "works")).unwrap();
    let (seen, hear) = mpsc::channel();
    let (lost, dead) = mpsc::channel();
    let told = Mutex::new((seen, lost, true));
    let queue = Options::service().set("queue", "memory").set("queue.backoff", "1ms").set("queue.attempts", 2);
    node.serve("words", queue, move |event| {
        let (seen, lost, first) = &mut *told.lock().unwrap();
        if event.kind() == Kind::Dropped {
            return lost.send(event.into_owned()).unwrap();
        }
        let Some(request) = event.request().filter(|_| event.kind() == Kind::Request) else { return };
        let body = event.text().unwrap().to_string();
        if std::mem::take(first) || body == "bad" {
            request.give_back(Code::EAGAIN, r#"{"message":"not now"}"#).unwrap();
            assert_eq!(request.reply("").unwrap_err().code(), Code::ECLOSED);
        } else {
            request.reply(&event).unwrap();
        }
        seen.send(body).unwrap();
    })
    .unwrap();
    node.start().wait().unwrap();
    let (asks, _) = asking(&there, &place, 1, &[]);
    asks.start().wait().unwrap();
    let calls = ["again", "next"].map(|what| asks.call("words", what, How::default()));
    assert_eq!(calls.map(|call| text(&call.wait().unwrap())), ["again", "next"]);
    let oneway = How { flags: Flags::ONEWAY, ..How::default() };
    asks.call("words", "note", oneway).wait().unwrap(); // it waits, too, and is answered
    let given_up = asks.call("words", "bad", How::default()).wait().unwrap_err();
    assert!(given_up.code() == Code::EDEAD && given_up.to_string().contains("not now"), "{given_up}");
    let dead = dead.recv_timeout(PATIENCE).unwrap();
    assert_eq!((dead.status(), dead.code(), dead.topic(), dead.text()), (Code::EDEAD, 1, "words", Some("bad")));
    assert_eq!(dead.message().unwrap().header("attempts"), Some(&b"2"[..]));
    assert_eq!(hear.try_iter().collect::<Vec<_>>(), ["again", "again", "next", "note", "bad", "bad"]);
    assert!(text(&node.info("queues").unwrap()).contains("\"done\":3"));
}

#[test]
fn a_manager_brings_nodes_together() {
    let (place, here, there) = (Place::new(), context(), context());
    let manager = Manager::open(&here, Options::manager("try").set("port", 0).set("discovery.port", 0)).unwrap();
    let (told, hear) = mpsc::channel();
    let told = Mutex::new(told);
    manager
        .on(move |event| {
            if [Kind::MemberUp, Kind::MemberDown].contains(&event.kind()) {
                let _ = told.lock().unwrap().send(event.into_owned());
            }
        })
        .unwrap();
    manager.start().wait().unwrap();
    let url = text(&manager.info("address").unwrap());
    let (_, url) = url.split_once("//").unwrap();
    let managed = |name| {
        let known = options(&place, name).set("registry", "manager");
        known.set("registry.url", url.split_once('/').unwrap().0)
    };
    let words = Node::open(&there, managed("words")).unwrap();
    let answer = says("words");
    let hears = move |event: Event<'_>| {
        if event.kind() == Kind::Request {
            answer(&event)
        }
    };
    words.serve("words", Options::service(), hears).unwrap();
    words.start().wait().unwrap();
    let asks = Node::open(&here, managed("asks").set("gate.services", r#"{"words":1}"#)).unwrap();
    asks.start().wait().unwrap();
    assert_eq!(text(&asks.call("words", "", How::default()).wait().unwrap()), "words to asks");
    let all = text(&manager.gather("members").wait().unwrap());
    assert!(["asks", "words"].iter().all(|name| all.contains(&format!("\"name\":\"{name}\""))), "{all}");
    words.close(0, "").unwrap();
    let mut heard: Vec<_> = (0..3).map(|_| hear.recv_timeout(PATIENCE).unwrap()).collect();
    heard.sort_by_key(|event| event.kind() == Kind::MemberDown);
    assert_eq!(
        heard.iter().map(|event| event.kind()).collect::<Vec<_>>(),
        [Kind::MemberUp, Kind::MemberUp, Kind::MemberDown]
    );
    assert!(heard[2].text().unwrap().contains("it left"));
}

/// What nobody takes is bounded, and the loss is told in its place: a node cannot pause the others.
#[test]
fn a_node_that_nobody_takes_from_keeps_little() {
    let (place, context) = (Place::new(), context());
    let node = Node::open(&context, options(&place, "alone")).unwrap();
    let mut events = node.events().unwrap().blocking();
    node.start().wait().unwrap();
    node.subscribe("e").wait().unwrap();
    let body = vec![7u8; 1 << 20];
    for _ in 0..70 {
        node.publish_counted("e", &body, Flags::NONE).wait().unwrap();
    }
    let (mut kept, mut dropped) = (0, 0);
    while kept + dropped < 70 {
        match events.next().unwrap() {
            e if e.kind() == Kind::Message => kept += 1,
            e if e.kind() == Kind::Dropped => {
                assert_eq!(e.status(), Code::EOVERFLOW);
                dropped += e.code();
            }
            _ => (),
        }
    }
    assert_eq!((kept, dropped), (64, 6));
}
