//! Providers, consumers, channels, hubs, shares, nodes and managers, and who hears their events.
use crate::events::Queue;
use crate::operation::{complete, part, Operation};
use crate::service::Service;
use crate::verbs::verbs;
use crate::waiting::{block_on, inside_handler, lock, set_inside_handler};
use crate::{ffi, Context, Error, Event, Events, Options, Result};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context as TaskContext, Poll, Waker};

type Handler = Box<dyn Fn(Event<'_>) + Send + Sync>;

/// Tokens of services are above all that users give.
const SERVICES: u64 = 1 << 63;

enum Sink {
    Handler(Handler),
    Queue(Arc<Queue>),
}

#[derive(Default)]
struct End {
    over: bool,
    wakers: Vec<Waker>,
}

/// The first panic of a context's handlers, until join() hands it over.
pub(crate) type Panics = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// What hears the events of one object: the library holds it until after CLOSED.
pub(crate) struct Party {
    handle: AtomicU64,
    sink: OnceLock<Sink>,
    started: AtomicBool,
    /// Whether the user and how many full streams hold the input.
    paused: Mutex<(bool, usize)>,
    /// Who hears of the services, by token.
    services: Mutex<BTreeMap<u64, Arc<Handler>>>,
    end: Mutex<End>,
    panics: Panics,
}

impl Party {
    pub(crate) fn new(panics: Panics) -> Arc<Party> {
        Arc::new(Party {
            handle: AtomicU64::new(0),
            sink: OnceLock::new(),
            started: AtomicBool::new(false),
            paused: Mutex::default(),
            services: Mutex::default(),
            end: Mutex::default(),
            panics,
        })
    }

    /// Installs it as the listener of a handle that tells nothing yet.
    pub(crate) fn listen(self: &Arc<Party>, handle: u64) -> Result<()> {
        self.handle.store(handle, Ordering::Release);
        ffi::on(handle, self.clone())
    }

    pub(crate) fn id(&self) -> u64 {
        self.handle.load(Ordering::Acquire)
    }

    pub(crate) fn set_handler(&self, handler: Handler) -> Result<()> {
        self.set_sink(Sink::Handler(handler))
    }

    pub(crate) fn events(self: &Arc<Party>) -> Result<Events> {
        let queue = self.queue();
        self.set_sink(Sink::Queue(queue.clone()))?;
        Ok(Events { queue })
    }

    /// One whose fullness holds the input.
    pub(crate) fn queue(self: &Arc<Party>) -> Arc<Queue> {
        let party = Arc::downgrade(self); // which may hold the queue
        Queue::new(move |on| party.upgrade().into_iter().for_each(|party| party.hold_input(on)))
    }

    fn serve(&self, name: &str, options: &Options, handler: Handler) -> Result<Service> {
        static LAST: AtomicU64 = AtomicU64::new(SERVICES);
        let token = LAST.fetch_add(1, Ordering::Relaxed);
        lock(&self.services).insert(token, Arc::new(handler)); // first: a call may come before we return
        let made = options.conf().and_then(|conf| ffi::serve(self.id(), name, conf, token));
        if made.is_err() {
            lock(&self.services).remove(&token);
        }
        made.map(Service)
    }

    fn service(&self, record: ffi::Record<'_>) -> Option<Arc<Handler>> {
        let mut services = lock(&self.services);
        if record.head.kind == ffi::MW_EVENT_CLOSED {
            return services.remove(&record.head.token);
        }
        services.get(&record.head.token).cloned()
    }

    fn set_sink(&self, sink: Sink) -> Result<()> {
        let late = || {
            Error::new(ffi::MW_ESTATE)
                .detail(0, "Who hears the events is said once, by on() or events(), before start().")
        };
        if self.started.load(Ordering::Acquire) {
            return Err(late());
        }
        self.sink.set(sink).map_err(|_| late())
    }

    /// Pauses or resumes the input for the stream that is full.
    fn hold_input(&self, on: bool) {
        let mut paused = lock(&self.paused);
        paused.1 = if on { paused.1 + 1 } else { paused.1.saturating_sub(1) };
        let _ = ffi::pause(self.id(), paused.0 || paused.1 > 0); // a context has no input; a closed one needs none
    }

    fn pause(&self, on: bool) -> Result<()> {
        let mut paused = lock(&self.paused);
        paused.0 = on;
        ffi::pause(self.id(), paused.0 || paused.1 > 0)
    }

    pub(crate) fn closed(self: &Arc<Party>) -> Closed {
        Closed(self.clone())
    }

    fn is_last(&self, record: ffi::Record<'_>) -> bool {
        record.head.kind == ffi::MW_EVENT_CLOSED && record.head.id == self.id()
    }
}

impl ffi::Listener for Party {
    fn event(&self, record: ffi::Record<'_>) {
        set_inside_handler(true);
        if record.head.kind == ffi::MW_EVENT_DONE {
            return complete(record);
        }
        if record.head.kind == ffi::MW_EVENT_PART {
            return part(record);
        }
        if record.head.token >= SERVICES {
            if let Some(handler) = self.service(record) {
                return handler(Event::lent(record));
            }
        }
        match self.sink.get() {
            Some(Sink::Handler(handler)) => handler(Event::lent(record)),
            Some(Sink::Queue(queue)) => queue.push(Event::lent(record), self.is_last(record)),
            None => (),
        }
    }

    fn after(&self, record: ffi::Record<'_>, panic: Option<Box<dyn Any + Send>>) {
        set_inside_handler(false);
        if self.is_last(record) {
            let mut end = lock(&self.end);
            end.over = true;
            let wakers = std::mem::take(&mut end.wakers);
            drop(end);
            wakers.into_iter().for_each(|w| ffi::quietly(|| w.wake()));
        }
        if let Some(payload) = panic {
            // Only the first is kept; the hook has printed all.
            let mut first = lock(&self.panics);
            match *first {
                None => *first = Some(payload),
                Some(_) => ffi::quietly(|| drop(payload)),
            }
        }
    }
}

/// A future that is ready when CLOSED has come.
#[must_use = "a future does nothing until it is awaited"]
pub struct Closed(Arc<Party>);

impl Closed {
    /// Waits on this thread. Inside a handler it returns at once.
    pub fn wait(self) {
        if !inside_handler() {
            block_on(self);
        }
    }
}

impl Future for Closed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut end = lock(&self.0.end);
        if end.over {
            return Poll::Ready(());
        }
        if !end.wakers.iter().any(|w| w.will_wake(cx.waker())) {
            end.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Closed").field(&lock(&self.0.end).over).finish()
    }
}

macro_rules! party {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name {
            party: Arc<Party>,
            context: Context,
        }

        impl $name {
            fn adopt(context: &Context, handle: u64) -> Result<$name> {
                let party = Party::new(context.panics());
                party.listen(handle)?;
                Ok($name { party, context: context.clone() })
            }

            /// Installs the handler, before start. It runs on the context's thread, or on library threads with
            /// `delivery=inline`, and must not block. When it panics the events after it come all the same;
            /// [`Context::join`] hands the first panic over.
            pub fn on(&self, handler: impl Fn(Event<'_>) + Send + Sync + 'static) -> Result<()> {
                self.party.set_handler(Box::new(handler))
            }

            /// Its events as a stream instead, before start.
            pub fn events(&self) -> Result<Events> {
                self.party.events()
            }

            /// Starts it. Repeatable: each ends at the next moment it is usable, at once if it is.
            pub fn start(&self) -> Operation<()> {
                self.party.started.store(true, Ordering::Release);
                let h = self.id();
                Operation::begin(h, |_| Ok(()), |op| ffi::start(h, op))
            }

            /// A future that is ready when its last event, CLOSED, has come.
            pub fn closed(&self) -> Closed {
                self.party.closed()
            }

            /// The context it lives in.
            pub fn context(&self) -> &Context {
                &self.context
            }

            /// Its number, for logs and for [`Connection::from_id`](crate::Connection::from_id).
            pub fn id(&self) -> u64 {
                self.party.id()
            }
        }

        impl Drop for $name {
            /// Closes it (1001), if it still is open.
            fn drop(&mut self) {
                let _ = ffi::close(self.id(), 1001, b"", 0);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id()).field("state", &self.state()).finish()
            }
        }
    };
}

party! {
    /// A listener that admits many peers. Dropping it closes it.
    Provider
}

party! {
    /// A connection to one provider that always comes back. Dropping it closes it.
    Consumer
}

party! {
    /// A member of a channel: hears what the other processes of the host publish in it. An event's topic is its name,
    /// the header `sender` who sent it. Dropping it leaves the channel.
    Channel
}

party! {
    /// A standing hub: keeps channels of this host in a process of their own. Dropping it closes it.
    Hub
}

party! {
    /// One of the processes of a host that use one connection. `Kind::Leader` says who leads ([`Event::leads`]); the
    /// leader hears `Kind::Request` ([`Event::request`]) and `Kind::Interest`. Dropping it leaves the share.
    Share
}

party! {
    /// One of the processes of a host of which one leads: `Kind::Leader` tells ([`Event::leads`]), its `id` the epoch,
    /// which rises with each leader: who takes orders refuses a lower one than it has seen. Dropping it resigns.
    Election
}

party! {
    /// A member of a mesh: it serves calls, calls what others serve, and publishes to who subscribed. `Kind::MemberUp`,
    /// `Kind::ServiceUp` and their like tell who is there. Start joins: it ends when what the others know is known here
    /// and `gate.services` is met. Dropping it leaves the mesh.
    Node
}

party! {
    /// Where nodes report (`registry=manager`, `registry.url`), and which tells them whom there is: `Kind::MemberUp` and
    /// its like tell it here, too. Dropping it closes it.
    Manager
}

macro_rules! open {
    ($($name:ident $kind:ident;)*) => {$(
        impl $name {
            /// Opens it, idle. Next say who hears its events, by [`Self::on`] or [`Self::events`], then
            /// [`Self::start`].
            pub fn open(context: &Context, options: Options) -> Result<$name> {
                $name::adopt(context, ffi::party_open(ffi::$kind, context.id(), options.conf()?)?)
            }
        }
    )*};
}

open! {
    Provider MW_CONF_PROVIDER;
    Consumer MW_CONF_CONSUMER;
    Channel MW_CONF_CHANNEL;
    Hub MW_CONF_HUB;
    Share MW_CONF_SHARE;
    Node MW_CONF_NODE;
    Manager MW_CONF_MANAGER;
}

impl Election {
    /// Opens the election of a name, idle. Start stands in it and ends as soon as somebody leads.
    pub fn open(context: &Context, name: &str, options: Options) -> Result<Election> {
        Election::adopt(context, ffi::elect(context.id(), name, options.conf()?)?)
    }
}

verbs!(Provider: common update link input serve publish);
verbs!(Consumer: common update link input serve call send topics);
verbs!(Channel: common update link input emit topics);
verbs!(Hub: common update);
verbs!(Share: common update input call emit topics);
verbs!(Election: common update);
verbs!(Node: common update serve call topics);
verbs!(Manager: common update);

impl Node {
    pub(crate) fn party_queue(&self) -> Arc<Queue> {
        self.party.queue()
    }
}

impl Provider {
    /// The first address it listens on, such as `ws://127.0.0.1:8080/connect`; known once it has started.
    pub fn url(&self) -> Result<String> {
        let info = self.info("address")?;
        // {"address":["ws://...", ...]}: addresses have no characters that JSON escapes, file names aside.
        let text = String::from_utf8_lossy(info.body());
        let first = text.split_once('[').and_then(|(_, list)| list.split('"').nth(1));
        Ok(first.ok_or_else(|| Error::new(ffi::MW_ESTATE).detail(0, "It listens nowhere yet: start() first."))?.into())
    }
}
