//! Options, by key as text: what `meshwork options` lists.
use crate::{ffi, Error, Result};
use std::fmt;

/// What options are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Noun {
    /// A [`Context`](crate::Context).
    Context = ffi::MW_CONF_CTX,
    /// A [`Provider`](crate::Provider).
    Provider = ffi::MW_CONF_PROVIDER,
    /// A [`Consumer`](crate::Consumer).
    Consumer = ffi::MW_CONF_CONSUMER,
    /// A subscription.
    Subscription = ffi::MW_CONF_SUB,
    /// A service.
    Service = ffi::MW_CONF_SERVICE,
    /// A call.
    Call = ffi::MW_CONF_CALL,
    /// A [`Hub`](crate::Hub).
    Hub = ffi::MW_CONF_HUB,
    /// A [`Channel`](crate::Channel).
    Channel = ffi::MW_CONF_CHANNEL,
    /// A [`Share`](crate::Share).
    Share = ffi::MW_CONF_SHARE,
    /// An [`Election`](crate::Election).
    Election = ffi::MW_CONF_ELECT,
    /// A [`Node`](crate::Node).
    Node = ffi::MW_CONF_NODE,
    /// A [`Manager`](crate::Manager).
    Manager = ffi::MW_CONF_MANAGER,
}

/// Options of one noun. Keys are checked by the library when set; the first refusal is kept and answered by the
/// call the options are given to, with the nearest key or the allowed range in its text.
///
/// ```
/// use meshwork::{Code, Context, Options};
///
/// let wrong = Context::open(Options::context().set("thread", 1)).unwrap_err();
/// assert_eq!(wrong.code(), Code::EOPTION);
/// assert!(wrong.to_string().contains("threads"));
/// ```
#[must_use = "options do nothing until they are given to an object"]
pub struct Options {
    conf: Result<ffi::Conf>,
}

impl Options {
    /// Options of any noun.
    pub fn new(noun: Noun) -> Options {
        Options { conf: ffi::Conf::new(noun as i32).ok_or_else(|| Error::new(ffi::MW_ENOMEM)) }
    }

    /// Options of a context. `threads` is 0 here: the one lane is turned by the context's own thread, which is the
    /// fastest way to one handler; more threads are lanes of the library.
    pub fn context() -> Options {
        Options::new(Noun::Context).set("threads", 0)
    }

    /// Options of a provider.
    pub fn provider() -> Options {
        Options::new(Noun::Provider)
    }

    /// Options of a consumer.
    pub fn consumer() -> Options {
        Options::new(Noun::Consumer)
    }

    /// Options of a subscription.
    pub fn subscription() -> Options {
        Options::new(Noun::Subscription)
    }

    /// Options of a service.
    pub fn service() -> Options {
        Options::new(Noun::Service)
    }

    /// Options of a call.
    pub fn call() -> Options {
        Options::new(Noun::Call)
    }

    /// Options of a hub.
    pub fn hub() -> Options {
        Options::new(Noun::Hub)
    }

    /// Options of a member of a channel.
    pub fn channel(name: &str) -> Options {
        Options::new(Noun::Channel).set("name", name)
    }

    /// Options of a member of a share.
    pub fn share(name: &str) -> Options {
        Options::new(Noun::Share).set("name", name)
    }

    /// Options of an election.
    pub fn election() -> Options {
        Options::new(Noun::Election)
    }

    /// Options of a node of the mesh of this name.
    pub fn node(deployment: &str) -> Options {
        Options::new(Noun::Node).set("cluster.deployment", deployment)
    }

    /// Options of a manager of the mesh of this name.
    pub fn manager(deployment: &str) -> Options {
        Options::new(Noun::Manager).set("cluster.deployment", deployment)
    }

    /// Sets one key. Values are texts, numbers, booleans: `8080`, `true`, `"30s"`, `"1MiB"`.
    pub fn set(self, key: &str, value: impl fmt::Display) -> Options {
        let value = value.to_string();
        self.change(|conf| conf.set(key, value.as_bytes()))
    }

    /// Sets many keys from a JSON object; nested objects make dotted keys.
    pub fn load(self, json: &str) -> Options {
        self.change(|conf| conf.load(json))
    }

    /// One key as text; secrets read `***`.
    pub fn get(&self, key: &str) -> Result<String> {
        self.conf()?.get(key)
    }

    fn change(mut self, change: impl FnOnce(&mut ffi::Conf) -> Result<()>) -> Options {
        if let Ok(conf) = &mut self.conf {
            if let Err(refused) = change(conf) {
                self.conf = Err(refused);
            }
        }
        self
    }

    pub(crate) fn conf(&self) -> Result<&ffi::Conf> {
        self.conf.as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("refused", &self.conf.as_ref().err()).finish_non_exhaustive()
    }
}

/// Every option of a noun, described by the library as JSON: key, type, default, doc, live, secret, range, values.
pub fn describe_options(noun: Noun) -> impl Iterator<Item = String> {
    (0..)
        .map_while(move |index| ffi::describe(noun as i32, index))
        .map(|json| String::from_utf8_lossy(json.body()).into_owned())
}
