//! Channels, hubs and shares as Rust sees them: futures, streams, handlers. What they do over processes that die is the
//! scenario table's matter.
mod place;

use futures_util::StreamExt;
use meshwork::{Channel, Code, Context, Delivery, Election, Event, Flags, How, Hub, Kind, Message, Options, Share};
use place::{context, Place};
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// What a handler hears of some kinds, as a channel of the standard library.
fn kinds(wanted: &'static [Kind]) -> (impl Fn(Event<'_>) + Send + Sync + 'static, mpsc::Receiver<Event<'static>>) {
    let (told, hear) = mpsc::channel();
    let told = Mutex::new(told);
    let handler = move |event: Event<'_>| {
        if wanted.contains(&event.kind()) {
            let _ = told.lock().unwrap().send(event.into_owned());
        }
    };
    (handler, hear)
}

#[test]
fn everything_may_go_to_another_thread() {
    fn sendable<T: Send + Sync>() {}
    sendable::<Channel>();
    sendable::<Hub>();
    sendable::<Share>();
    sendable::<Election>();
}

#[test]
fn members_hear_each_other_through_futures_and_streams() {
    let place = Place::new();
    let work = async {
        let (one, other) = (context(), context());
        let speaks = Channel::open(&one, place.put(Options::channel("A")))?;
        let hears = Channel::open(&other, place.put(Options::channel("A")))?;
        let mut events = hears.events()?;
        speaks.start().await?;
        hears.start().await?;
        hears.subscribe(r"log\.(warn|error)").await?;
        hears.subscribe_with("once", Options::subscription().set("limit", 1)).await?;
        assert!(hears.subscribed("log.warn")? && !hears.subscribed("log.warning")?);
        assert_eq!(hears.subscribe("(a").await.unwrap_err().code(), Code::EPATTERN);

        speaks.publish("once", "first")?;
        speaks.publish("once", "second")?;
        let traced = Message::copy(b"disk full", Flags::TEXT, &[("traceparent", b"00-77")])?;
        assert_eq!(speaks.publish_confirmed("log.warn", &traced, Flags::NONE).await?, Delivery::Host);
        let mut messages = (&mut events).filter(|e| std::future::ready(e.kind() == Kind::Message));
        let first = StreamExt::next(&mut messages).await.unwrap();
        assert_eq!((first.topic(), first.text()), ("once", Some("first")));
        let warning = StreamExt::next(&mut messages).await.unwrap();
        assert_eq!((warning.topic(), warning.text()), ("log.warn", Some("disk full")));
        let warning = warning.message().unwrap();
        assert_eq!(warning.header("traceparent"), Some(&b"00-77"[..]));
        assert!(warning.header("sender").is_some());

        let members = hears.gather("members").await?;
        assert!(std::str::from_utf8(members.body()).unwrap().contains(&std::process::id().to_string()));
        hears.unsubscribe(r"log\.(warn|error)").await?;
        assert!(!hears.subscribed("log.warn")?);
        drop(speaks); // its end hands the channel over
        while StreamExt::next(&mut events).await.unwrap().kind() != Kind::Up {}
        assert!(std::str::from_utf8(hears.info("")?.body()).unwrap().contains(r#""hub":true"#));
        Ok::<_, meshwork::Error>(())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await }).unwrap().unwrap();
}

#[test]
fn a_hub_keeps_channels_and_reloads_them() {
    let place = Place::new();
    let (here, there) = (context(), context());
    let hub = Hub::open(&here, place.put(Options::hub().load(r#"{"channels": {"A": {}, "B": {}}}"#))).unwrap();
    let (handler, came) = kinds(&[Kind::PeerUp]);
    hub.on(handler).unwrap();
    hub.start().wait().unwrap();
    let second = Hub::open(&there, place.put(Options::hub().load(r#"{"channels": {"A": {}}}"#))).unwrap();
    assert_eq!(second.start().wait().unwrap_err().code(), Code::EADDRINUSE);

    let member = Channel::open(&there, place.put(Options::channel("B").set("hub.auto", false))).unwrap();
    let (handler, lost) = kinds(&[Kind::Down]);
    member.on(handler).unwrap();
    member.start().wait().unwrap();
    let peer = came.recv_timeout(PATIENCE).unwrap().peer();
    assert!(std::str::from_utf8(peer.info("").unwrap().body()).unwrap().contains(r#""channel":"B""#));
    assert!(String::from_utf8_lossy(hub.gather("channel/B").wait().unwrap().body()).contains("uuid"));

    let wrong = hub.update(Options::hub().load(r#"{"channels": {"A": {"colour": 1}}}"#)).wait().unwrap_err();
    assert!(wrong.code() == Code::EOPTION && wrong.to_string().contains("channels.A.colour"));
    hub.update(Options::hub().load(r#"{"channels": {"A": {}}}"#)).wait().unwrap();
    lost.recv_timeout(PATIENCE).unwrap();
}

/// A member that answers as leader with its name, and tells who leads.
fn claim(context: &Context, place: &Place, name: &'static str) -> (Arc<Share>, mpsc::Receiver<Event<'static>>) {
    let share = Share::open(context, place.put(Options::share("S").set("retry.safe", "get"))).unwrap();
    let (handler, hear) = kinds(&[Kind::Leader, Kind::Interest, Kind::Message, Kind::Request]);
    share
        .on(move |event| {
            match (event.kind(), event.topic()) {
                (Kind::Request, "get") => drop(event.request().unwrap().reply(name)),
                (Kind::Request, "refused") => drop(event.request().unwrap().fail(Code::EDENIED, "")),
                _ => (),
            }
            handler(event);
        })
        .unwrap();
    share.start().wait().unwrap();
    (Arc::new(share), hear)
}

fn next(hear: &mpsc::Receiver<Event<'static>>, kind: Kind) -> Event<'static> {
    loop {
        let event = hear.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{kind:?} does not come"));
        if event.kind() == kind {
            return event;
        }
    }
}

#[test]
fn a_share_has_one_leader_that_answers_for_all() {
    let place = Place::new();
    let (here, there) = (context(), context());
    let (first, first_hears) = claim(&here, &place, "first");
    let leads = next(&first_hears, Kind::Leader);
    assert_eq!((leads.leads(), leads.id()), (Some(true), 1));
    let (second, second_hears) = claim(&there, &place, "second");
    assert_eq!(next(&second_hears, Kind::Leader).leads(), Some(false));

    assert_eq!(second.call("get", "what", How::default()).wait().unwrap().body(), b"first");
    assert_eq!(first.call("get", "what", How::default()).wait().unwrap().body(), b"first");
    assert_eq!(second.call("refused", "", How::default()).wait().unwrap_err().code(), Code::EDENIED);
    let oneway = How { flags: Flags::ONEWAY | Flags::REPEAT, ..How::default() };
    second.call("registered", "me", oneway).detach();
    while next(&first_hears, Kind::Request).topic() != "registered" {}

    second.subscribe("color").wait().unwrap();
    let interest = next(&first_hears, Kind::Interest);
    assert_eq!((interest.topic(), interest.code(), interest.id()), ("color", 1, 0));
    assert_eq!(second.publish("color", "no").unwrap_err().code(), Code::ENOTLEADER);
    first.publish_confirmed("color", "red", Flags::NONE).wait().unwrap();
    assert_eq!(next(&second_hears, Kind::Message).text(), Some("red"));
    first.subscribe("color").wait().unwrap();
    assert!(next(&first_hears, Kind::Message).flags().contains(Flags::RETAINED));

    drop(first); // the leader leaves; what waits for it goes to the next
    let leads = next(&second_hears, Kind::Leader);
    assert_eq!((leads.leads(), leads.id()), (Some(true), 2));
    assert_eq!(second.call("get", "what", How::default()).wait().unwrap().body(), b"second");
    let mut missing = vec!["registered", "color"]; // in whatever order
    while !missing.is_empty() {
        let event = second_hears.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{missing:?} do not come"));
        missing.retain(|topic| event.topic() != *topic || event.kind() == Kind::Message);
    }
}

#[test]
fn an_election_has_one_leader_and_rising_epochs() {
    let (place, context) = (Place::new(), context());
    let refused = Election::open(&context, "../up", place.put(Options::election()));
    assert_eq!(refused.unwrap_err().code(), Code::EINVAL);
    let stand = || {
        let election = Election::open(&context, "E", place.put(Options::election())).unwrap();
        let (handler, hear) = kinds(&[Kind::Leader]);
        election.on(handler).unwrap();
        election.start().wait().unwrap();
        (election, hear)
    };
    let (first, first_hears) = stand();
    let (_second, second_hears) = stand();
    let (leads, follows) = (next(&first_hears, Kind::Leader), next(&second_hears, Kind::Leader));
    assert_eq!((leads.leads(), leads.topic(), leads.id()), (Some(true), "E", 1));
    assert_eq!((follows.leads(), follows.id()), (Some(false), 1));
    drop(first);
    let mut leads = next(&second_hears, Kind::Leader);
    while leads.leads() != Some(true) {
        leads = next(&second_hears, Kind::Leader); // for a moment nobody does
    }
    assert_eq!(leads.id(), 2);
}
