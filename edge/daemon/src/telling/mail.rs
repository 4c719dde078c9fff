//! Mail by SMTP: one letter after the other, tried again, never waited for.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use mainstay_engine::{Mail, MailSecurity};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::letter::Letter;
use crate::log;
use crate::scripts::notify::{Subject, Tiding};

/// So many letters wait; more are left out and said so.
const WAITING_MAX: usize = 64;
/// After how long a letter is tried again; after the last try it is given up.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// keepalived's word for what `no_email_faults` is about.
const FAULT: &str = "FAULT";

/// Sends mail.
#[derive(Debug, Default)]
pub(super) struct Mailer {
    node: String,
    settings: Option<Mail>,
    letters: Option<mpsc::Sender<Letter>>,
    task: Option<JoinHandle<()>>,
}

impl Mailer {
    /// Takes other settings; letters that wait go the old way.
    pub(super) fn configure(&mut self, settings: Option<&Mail>, node: &str) {
        if self.settings.as_ref() == settings && self.node == node {
            return;
        }
        self.settings = settings.cloned();
        node.clone_into(&mut self.node);
        (self.letters, self.task) = (None, None);
        let Some(settings) = settings else { return };
        match Post::open(settings, node) {
            Ok(post) => {
                let (letters, incoming) = mpsc::channel(WAITING_MAX);
                self.letters = Some(letters);
                self.task = Some(tokio::spawn(post.send_all(incoming)));
            }
            Err(why) => log::error(format!("no mail is sent: {why}")),
        }
    }

    /// Puts a letter about what came about on its way, if it is to be sent.
    pub(super) fn send(&mut self, subject: &Subject, tiding: Tiding, priority: u8) {
        let Some(settings) = &self.settings else { return };
        if tiding.word() == FAULT && !settings.faults {
            return;
        }
        let Some(letters) = &self.letters else { return };
        let Some(letter) = Letter::of(&self.node, subject, tiding, priority) else { return };
        if let Err(unsent) = letters.try_send(letter) {
            let letter = unsent.into_inner();
            log::error(format!(
                "more than {WAITING_MAX} mails wait: left out `{}`",
                letter.subject
            ));
        }
    }

    /// Waits until all letters are sent or given up, for so long at most.
    pub(super) async fn finish(&mut self, limit: Duration) {
        self.letters = None;
        let Some(task) = self.task.take() else { return };
        if tokio::time::timeout(limit, task).await.is_err() {
            log::warning(format!("mail is not sent after {limit:?}: not waiting any longer"));
        }
    }
}

/// The way to the mail server.
struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    timeout: Duration,
}

impl Post {
    fn open(settings: &Mail, node: &str) -> Result<Post, String> {
        let mailbox = |text: &str| -> Result<Mailbox, String> {
            text.parse().map_err(|why| format!("`{text}` is no address of mail: {why}"))
        };
        let host = host_part(node);
        let from = settings.from.clone().unwrap_or_else(|| format!("keepalived@{host}"));
        let to: Result<Vec<Mailbox>, String> = settings.to.iter().map(|to| mailbox(to)).collect();
        let hello = settings.hello.clone().unwrap_or(host);
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.server)
            .port(settings.port)
            .hello_name(ClientId::Domain(hello))
            .timeout(Some(settings.timeout))
            .tls(security(settings).map_err(|why| format!("TLS: {why}"))?)
            .build();
        Ok(Post { transport, from: mailbox(&from)?, to: to?, timeout: settings.timeout })
    }

    async fn send_all(self, mut incoming: mpsc::Receiver<Letter>) {
        while let Some(letter) = incoming.recv().await {
            let message = match self.message(&letter) {
                Ok(message) => message,
                Err(why) => {
                    log::error(format!("mail `{}`: {why}", letter.subject));
                    continue;
                }
            };
            let mut waits = AGAIN_AFTER.iter();
            while let Err(why) = self.try_once(message.clone()).await {
                let Some(wait) = waits.next().filter(|_| !incoming.is_closed()) else {
                    log::error(format!("mail `{}` is given up: {why}", letter.subject));
                    break;
                };
                log::warning(format!("mail `{}`: {why}; again in {wait:?}", letter.subject));
                tokio::time::sleep(*wait).await;
            }
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, lettre::error::Error> {
        let start = Message::builder().from(self.from.clone()).subject(&letter.subject);
        let to = self.to.iter().cloned();
        to.fold(start, |message, to| message.to(to)).body(letter.body.clone())
    }

    /// The whole conversation has an end, even with a server that answers each line in time.
    async fn try_once(&self, message: Message) -> Result<(), String> {
        match tokio::time::timeout(self.timeout * 2, self.transport.send(message)).await {
            Ok(Ok(_taken)) => Ok(()),
            Ok(Err(why)) => Err(why.to_string()),
            Err(_) => Err(format!("the server does not answer within {:?}", self.timeout * 2)),
        }
    }
}

/// A name that can stand in an address.
fn host_part(node: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let host: String = node.chars().filter(|c| fits(*c)).collect();
    if host.is_empty() { "localhost".to_owned() } else { host }
}

fn security(settings: &Mail) -> Result<Tls, lettre::transport::smtp::Error> {
    let checked = || TlsParameters::new(settings.server.clone());
    Ok(match settings.security {
        MailSecurity::None => Tls::None,
        MailSecurity::WhereOffered => Tls::Opportunistic(
            TlsParameters::builder(settings.server.clone())
                .dangerous_accept_invalid_certs(true)
                .build()?,
        ),
        MailSecurity::StartTls => Tls::Required(checked()?),
        MailSecurity::Tls => Tls::Wrapper(checked()?),
    })
}

#[cfg(test)]
mod tests;
