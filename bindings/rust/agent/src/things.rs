//! What a name stands for, and the verbs of what is opened: open, start, update.
use super::*;

macro_rules! things {
    ($($verb:literal $noun:ident $open:expr;)*) => {
        /// "object KIND" names a hook, "object op" an operation.
        pub enum Thing {
            Context(Context),
            Number(u64),
            Text(String),
            Operation(Box<dyn Fn() -> Result<()> + Send>),
            $($noun($noun),)*
        }

        impl Thing {
            pub fn id(&self) -> u64 {
                match self {
                    Thing::Context(c) => c.id(),
                    Thing::Number(n) => *n,
                    $(Thing::$noun(x) => x.id(),)*
                    _ => 0,
                }
            }

            /// What a line opens, which tells its events; `None` where it opens nothing.
            pub fn open(context: &Context, w: &Words) -> Result<Option<Thing>> {
                let name = w.name.clone();
                Ok(Some(match w.verb.as_str() {
                    $($verb => {
                        let open: fn(&Context, &Words) -> Result<$noun> = $open;
                        let x = open(context, w)?;
                        x.on(move |event| tell(&name, &event))?;
                        Thing::$noun(x)
                    })*
                    _ => return Ok(None),
                }))
            }

            pub fn start(&self) -> Option<Operation<()>> {
                match self {
                    $(Thing::$noun(x) => Some(x.start()),)*
                    _ => None,
                }
            }

            pub fn update(&self, options: Options) -> Option<Operation<()>> {
                match self {
                    Thing::Context(c) => Some(c.update(options)),
                    $(Thing::$noun(x) => Some(x.update(options)),)*
                    _ => None,
                }
            }
        }
    };
}

things! {
    "provider" Provider |c, w| Provider::open(c, w.options(Options::provider(), &[]));
    "consumer" Consumer |c, w| Consumer::open(c, w.options(Options::consumer(), &[]));
    "channel" Channel |c, w| Channel::open(c, w.options(Options::new(Noun::Channel), &[]));
    "hub" Hub |c, w| Hub::open(c, w.options(Options::hub(), &[]));
    "share" Share |c, w| Share::open(c, w.options(Options::new(Noun::Share), &[]));
    "node" Node |c, w| Node::open(c, w.options(Options::new(Noun::Node), &[]));
    "manager" Manager |c, w| Manager::open(c, w.options(Options::new(Noun::Manager), &[]));
    "elect" Election |c, w| Election::open(c, &w.text("name"), w.options(Options::election(), &["name"]));
}

pub type Names = BTreeMap<String, Thing>;

/// One line or one event at a time, so that what a call began is known before the next event is told.
pub fn names() -> MutexGuard<'static, Names> {
    static NAMES: Mutex<Names> = Mutex::new(BTreeMap::new());
    NAMES.lock().unwrap()
}

/// The name of a number; the next free "base1", "base2", ... where it has none yet.
pub fn name_of(names: &mut Names, id: u64, base: &str) -> String {
    if let Some((name, _)) = names.iter().find(|(_, thing)| thing.id() == id) {
        return name.clone();
    }
    let name = (1..).map(|n| format!("{base}{n}")).find(|name| !names.contains_key(name)).unwrap();
    names.insert(name.clone(), Thing::Number(id));
    name
}
