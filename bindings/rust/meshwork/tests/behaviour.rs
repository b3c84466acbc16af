//! What the binding adds to the library: futures, streams, handlers, ownership. The library's own behaviour is the
//! scenario table's matter.
use futures_util::StreamExt;
use meshwork::{
    Batch, Code, Connection, Consumer, Context, Delivery, Event, Events, Flags, How, Kind, Message, Options, Provider,
    Sent,
};
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn context() -> Context {
    Context::open(Options::context()).unwrap()
}

fn echo(context: &Context) -> Provider {
    let provider = Provider::open(context, Options::provider().set("host", "127.0.0.1").set("port", 0)).unwrap();
    provider
        .on(|event| {
            if event.kind() == Kind::Message {
                drop(event.peer().send(&event))
            }
        })
        .unwrap();
    provider.start().wait().unwrap();
    provider
}

fn consumer(context: &Context, provider: &Provider) -> (Consumer, Events) {
    let consumer = Consumer::open(context, Options::consumer().set("url", provider.url().unwrap())).unwrap();
    let events = consumer.events().unwrap();
    consumer.start().wait().unwrap();
    (consumer, events)
}

fn messages(events: Events) -> impl Iterator<Item = Event<'static>> {
    events.blocking().filter(|e| e.kind() == Kind::Message)
}

#[test]
fn everything_may_go_to_another_thread() {
    fn sendable<T: Send + Sync>() {}
    sendable::<Context>();
    sendable::<Provider>();
    sendable::<Consumer>();
    sendable::<Connection>();
    sendable::<Message>();
    sendable::<Event<'static>>();
    sendable::<Events>();
    fn future<T: Send>(_: &T) {}
    let context = context();
    let consumer = Consumer::open(&context, Options::consumer()).unwrap();
    let operation = consumer.start();
    future(&operation);
    operation.detach();
}

#[test]
fn an_echo_through_futures_and_a_stream() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let work = async {
        let context = context();
        let provider = Provider::open(&context, Options::provider().set("host", "127.0.0.1").set("port", 0))?;
        let mut arrivals = provider.events()?;
        provider.start().await?;
        let consumer = Consumer::open(&context, Options::consumer().set("url", provider.url()?))?;
        let mut events = consumer.events()?;
        consumer.start().await?;
        consumer.send("hello")?;
        let message = loop {
            let event = arrivals.next().await.unwrap();
            if event.kind() == Kind::Message {
                break event;
            }
        };
        assert_eq!(message.text(), Some("hello"));
        assert_eq!(message.peer().send_confirmed("back", Flags::NONE).await?, Delivery::Host);
        let back = StreamExt::next(&mut (&mut events).filter(|e| std::future::ready(e.kind() == Kind::Message))).await;
        assert_eq!(back.unwrap().text(), Some("back"));
        provider.close(1001, "going")?;
        provider.closed().await;
        while let Some(event) = arrivals.next().await {
            assert_ne!(event.kind(), Kind::Message);
        }
        Ok::<_, meshwork::Error>(())
    };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await }).unwrap().unwrap();
}

#[test]
fn a_message_larger_than_any_buffer_with_topic_and_headers() {
    let context = context();
    let provider = Provider::open(&context, Options::provider().set("host", "127.0.0.1").set("port", 0)).unwrap();
    let arrivals = provider.events().unwrap();
    provider.start().wait().unwrap();
    let (_consumer, events) = consumer(&context, &provider);
    let peer = arrivals.blocking().find(|e| e.kind() == Kind::PeerUp).unwrap().peer();
    peer.subscribe("big/#").wait().unwrap();
    let body: Vec<u8> = (0..1_000_000).map(|i| (i % 251) as u8).collect();
    let big = Message::from_owner(body.clone(), Flags::NONE, &[("trace", b"one")]).unwrap();
    assert_eq!(provider.publish_with("big/one", &big, Flags::NONE, None).wait().unwrap(), 1);
    provider.publish("big/two", &big).unwrap();
    let mut got = messages(events);
    for topic in ["big/one", "big/two"] {
        let event = got.next().unwrap();
        assert_eq!((event.topic(), event.body() == body), (topic, true));
        assert_eq!(event.message().unwrap().header("trace"), Some(&b"one"[..]));
    }
}

#[test]
fn a_stream_nobody_reads_stops_the_sender_and_loses_nothing() {
    const COUNT: u32 = 200_000;
    let context = context();
    let provider = Provider::open(&context, Options::provider().set("host", "127.0.0.1").set("port", 0)).unwrap();
    let arrivals = provider.events().unwrap();
    provider.start().wait().unwrap();
    let other = Context::open(Options::context()).unwrap();
    let consumer =
        Consumer::open(&other, Options::consumer().set("url", provider.url().unwrap()).set("wire", "raw")).unwrap();
    let (room, has_room) = mpsc::channel();
    let room = Mutex::new(room);
    consumer
        .on(move |e| {
            if e.kind() == Kind::Writable {
                let _ = room.lock().unwrap().send(());
            }
        })
        .unwrap();
    consumer.start().wait().unwrap();
    let (refused, is_refused) = mpsc::channel();
    let sender = std::thread::spawn(move || {
        for i in 0..COUNT {
            let mut body = [0u8; 256];
            body[..4].copy_from_slice(&i.to_le_bytes());
            while let Err(e) = consumer.send(&body) {
                assert_eq!((e.code(), e.retryable()), (Code::EAGAIN, true));
                let _ = refused.send(());
                has_room.recv_timeout(PATIENCE).expect("WRITABLE follows");
            }
        }
        consumer
    });
    // 50 MB: far more than stream, kernel and queue hold.
    is_refused.recv_timeout(PATIENCE).expect("nobody reads, so the sender is refused");
    let mut got = messages(arrivals);
    for i in 0..COUNT {
        assert_eq!(got.next().unwrap().body()[..4], i.to_le_bytes());
    }
    drop(sender.join().unwrap());
}

#[test]
fn lent_bytes_are_given_back_once() {
    struct Owner(mpsc::Sender<()>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &[7; 5000]
        }
    }
    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (given, back) = mpsc::channel();
    let context = context();
    let provider = echo(&context);
    let (consumer, events) = consumer(&context, &provider);
    consumer.send(&Message::from_owner(Owner(given), Flags::NONE, &[]).unwrap()).unwrap();
    assert_eq!(messages(events).next().unwrap().body(), [7; 5000]);
    back.recv_timeout(PATIENCE).unwrap();
    assert!(back.recv_timeout(PATIENCE).is_err(), "dropped once: the channel has no sender any more");
    let (refused, back) = mpsc::channel();
    Message::from_owner(Owner(refused), Flags::PING, &[]).unwrap_err();
    back.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_batch_has_an_answer_for_each_send() {
    let context = context();
    let provider = echo(&context);
    let (consumer, events) = consumer(&context, &provider);
    let to = Connection::from_id(consumer.id());
    let mut batch = Batch::new();
    for i in 0..100 {
        batch.push(to, &i.to_string(), Flags::NONE);
        batch.push(Connection::from_id(12345), "nobody", Flags::NONE);
    }
    let answers = batch.send(&context).unwrap();
    assert!(answers.iter().step_by(2).all(Result::is_ok));
    assert!(answers.iter().skip(1).step_by(2).all(|a| a.as_ref().unwrap_err().code() == Code::ECLOSED));
    let mut got = messages(events);
    for i in 0..100 {
        assert_eq!(got.next().unwrap().text(), Some(&*i.to_string()));
    }
    assert!(batch.send(&context).unwrap().is_empty());
}

#[test]
fn an_operation_calls_back_in_the_order_of_events() {
    let context = context();
    let provider = echo(&context);
    let consumer = Consumer::open(&context, Options::consumer().set("url", provider.url().unwrap())).unwrap();
    let (told, order) = mpsc::channel();
    let (told, of_events) = (told.clone(), Mutex::new(told));
    consumer.on(move |e| drop(of_events.lock().unwrap().send(format!("{:?}", e.kind())))).unwrap();
    let mut start = consumer.start();
    start.on_done(move |result| told.send(format!("{result:?}")).unwrap()).unwrap();
    drop(start); // cancels no more
    let order: Vec<_> = (0..2).map(|_| order.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(order, ["Up", "Ok(())"]);
    let mut refused = Connection::from_id(12345).send_confirmed("x", Flags::NONE);
    assert_eq!(refused.on_done(|_| unreachable!()).unwrap_err().code(), Code::ECLOSED);
}

#[test]
fn closed_is_ready_after_the_last_event_and_not_before() {
    let context = context();
    let provider = echo(&context);
    let mut closed = provider.closed();
    let mut cx = std::task::Context::from_waker(futures_util::task::noop_waker_ref());
    assert!(std::future::Future::poll(std::pin::Pin::new(&mut closed), &mut cx).is_pending());
    provider.close(1000, "").unwrap();
    closed.wait();
    assert_eq!(provider.state().unwrap_err().code(), Code::ECLOSED);
}

#[test]
fn who_listens_is_said_once_and_before_start() {
    let context = context();
    let provider = echo(&context);
    assert_eq!(provider.events().unwrap_err().code(), Code::ESTATE);
    let consumer = Consumer::open(&context, Options::consumer()).unwrap();
    consumer.on(|_| ()).unwrap();
    assert_eq!(consumer.on(|_| ()).unwrap_err().code(), Code::ESTATE);
}

#[test]
fn errors_say_what_to_do() {
    let e = Context::open(Options::context().set("threds", 1)).unwrap_err();
    assert_eq!((e.code(), e.name(), e.retryable()), (Code::EOPTION, "MW_EOPTION", false));
    assert!(e.to_string().contains("threads"), "{e}");
    let context = context();
    let provider = echo(&context);
    let port = provider.url().unwrap().rsplit(':').next().unwrap().split('/').next().unwrap().to_string();
    let second = Provider::open(&context, Options::provider().set("host", "127.0.0.1").set("port", port)).unwrap();
    let e = second.start().wait().unwrap_err();
    assert_eq!(e.code(), Code::EADDRINUSE);
    assert_eq!(context.update(Options::provider()).wait().unwrap_err().code(), Code::EKIND);
}

#[test]
fn secrets_are_not_shown() {
    let options = Options::consumer().set("parameters", r#"{"key":"hidden"}"#);
    assert_eq!(options.get("parameters").unwrap(), "***");
    assert!(!format!("{options:?}").contains("hidden"));
}

#[test]
fn a_lane_each_for_parallel_handlers() {
    for (threads, delivery) in [(2, "inline"), (2, "queued")] {
        let context = Context::open(Options::context().set("threads", threads).set("delivery", delivery)).unwrap();
        let provider = echo(&context);
        let parties: Vec<_> = (0..8).map(|_| consumer(&context, &provider)).collect();
        for (consumer, _) in &parties {
            (0..100).for_each(|i| assert!(consumer.send(&i.to_string()).is_ok()));
        }
        for (_, events) in parties {
            let got: Vec<_> = messages(events).take(100).map(|e| e.text().unwrap().to_string()).collect();
            assert_eq!(got, (0..100).map(|i| i.to_string()).collect::<Vec<_>>());
        }
        context.join().unwrap();
    }
}

#[test]
fn asking_before_a_client_comes_in() {
    let context = context();
    let options = Options::provider().set("host", "127.0.0.1").set("port", 0).set("auth.ask", true);
    let provider = Provider::open(&context, options).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    provider
        .on(move |event| {
            if let Some(ask) = event.ask() {
                let welcome = event.text().unwrap().contains("friend");
                seen.lock().unwrap().push(welcome);
                if welcome { ask.allow("") } else { ask.refuse(r#"{"status":401}"#) }.unwrap();
            }
        })
        .unwrap();
    provider.start().wait().unwrap();
    let url = provider.url().unwrap();
    let of = |who: &str| Options::consumer().set("url", &url).set("parameters", format!(r#"{{"who":"{who}"}}"#));
    Consumer::open(&context, of("friend")).unwrap().start().wait().unwrap();
    let stranger = Consumer::open(&context, of("stranger")).unwrap();
    assert!(!stranger.start().wait().unwrap_err().retryable());
    assert_eq!(*asked.lock().unwrap(), [true, false]);
}

#[test]
fn calls_either_way_in_parts_and_given_up() {
    let context = context();
    let provider = Provider::open(&context, Options::provider().set("port", 0).set("host", "127.0.0.1")).unwrap();
    let (peers, came) = mpsc::channel();
    let peers = Mutex::new(peers);
    provider
        .on(move |e| {
            if e.kind() == Kind::PeerUp {
                peers.lock().unwrap().send(e.peer()).unwrap();
            }
        })
        .unwrap();
    provider.start().wait().unwrap();
    let (over, ended) = mpsc::channel();
    let over = Mutex::new(over);
    let serve = move |e: Event<'_>| match (e.kind(), e.request()) {
        (Kind::Request, Some(r)) if e.topic() == "S.echo" => r.reply(&e).unwrap(),
        (Kind::Request, Some(r)) if e.topic() == "S.parts" => {
            (0..5).for_each(|i: u8| assert_eq!(r.part(&[i]).unwrap(), Sent::Now));
            r.reply("end").unwrap()
        }
        (Kind::Request, Some(r)) if e.topic() == "S.fail" => r.fail(Code::EDENIED, r#"{"message":"no"}"#).unwrap(),
        (Kind::Cancel, _) => over.lock().unwrap().send(e.code()).unwrap(),
        _ => (), // S.wait
    };
    let service = provider.serve("S", Options::service(), serve).unwrap();
    let consumer = Consumer::open(&context, Options::consumer().set("url", provider.url().unwrap())).unwrap();
    consumer.serve("Clock", Options::service(), |e| drop(e.request().map(|r| r.reply("noon")))).unwrap();
    consumer.start().wait().unwrap();
    let peer = came.recv_timeout(PATIENCE).unwrap();

    assert_eq!(consumer.call("S.echo", "text", How::default()).wait().unwrap().body(), b"text");
    assert_eq!(peer.call("Clock", "", How::default()).wait().unwrap().body(), b"noon");
    let failed = consumer.call("S.fail", "", How::default()).wait().unwrap_err();
    assert_eq!((failed.code(), failed.to_string()), (Code::EDENIED, r#"{"message":"no"}"#.into()));
    let none = consumer.call("Nobody", "", How::default()).wait().unwrap_err();
    assert_eq!(none.code(), Code::ENOSERVICE);
    let late = How { timeout: Some(Duration::from_millis(20)), ..How::default() };
    assert_eq!(consumer.call("S.wait", "", late).wait().unwrap_err().code(), Code::ETIMEDOUT);
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap(), 2);
    drop(consumer.call("S.wait", "", How { timeout: Some(Duration::MAX), ..How::default() }));
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap(), 1, "dropped is cancelled");

    let mut parts = consumer.stream("S.parts", "", How::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let all = runtime.block_on(async {
        let mut all = Vec::new();
        while let Some(part) = parts.next().await {
            all.push(part.unwrap().body().to_vec());
        }
        all
    });
    assert_eq!(all, [vec![0], vec![1], vec![2], vec![3], vec![4], b"end".to_vec()]);
    service.close(0, "").unwrap();
    context.join().unwrap();
}
