//! A mail server that takes letters over TLS, refuses them, or says nothing at all.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::Failed;
use mainstay_lab::cluster::Host;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Where every server listens, in a namespace of its own.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// How a server treats whoever connects.
#[derive(Clone, Debug)]
pub enum Conduct {
    /// TLS from the first byte, then it takes every letter.
    Sealed(Arc<ServerConfig>),
    /// TLS when it is asked for, then it takes every letter; none before that.
    SealedWhenAsked(Arc<ServerConfig>),
    /// It refuses every letter.
    Refusing,
    /// It accepts connections and never says a word.
    Silent,
}

/// A server that runs until the test ends.
#[derive(Debug)]
pub struct Server {
    letters: Arc<Mutex<String>>,
}

impl Server {
    /// Listens on a host.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(host: &Host, port: u16, conduct: Conduct) -> io::Result<Server> {
        let listener = host.namespace().run(|| TcpListener::bind((ADDRESS, port)))??;
        let letters = Arc::<Mutex<String>>::default();
        let taken = Arc::clone(&letters);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever breaks off sends no letter; that is seen by the test.
                let _ = serve(stream, &conduct, &taken);
            }
        });
        Ok(Server { letters })
    }

    /// Every line of every conversation from its beginning, as far as it was sealed where it has to be.
    pub fn heard(&self) -> String {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An authority, whose certificate is written into a file of `folder`, and a server of its that goes by
/// [`ADDRESS`].
///
/// # Errors
/// No keys can be made.
pub fn certified(folder: &Path) -> Result<(PathBuf, Arc<ServerConfig>), Failed> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let file = folder.join("authority.pem");
    std::fs::write(&file, authority.pem())?;
    let key = KeyPair::generate()?;
    let own = CertificateParams::new([ADDRESS.to_string()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_no_client_auth().with_single_cert(vec![own.into()], key)?;
    Ok((file, Arc::new(config)))
}

fn serve(mut stream: TcpStream, conduct: &Conduct, heard: &Mutex<String>) -> io::Result<()> {
    match conduct {
        Conduct::Sealed(config) => {
            let mut stream = sealed(stream, config)?;
            say(&mut stream, "220 test")?;
            converse(&mut stream, "250 good", heard)
        }
        Conduct::SealedWhenAsked(config) => {
            say(&mut stream, "220 test")?;
            until(&mut stream, "EHLO ")?;
            say(&mut stream, "250-test\r\n250 STARTTLS")?;
            until(&mut stream, "STARTTLS")?;
            say(&mut stream, "220 go on")?;
            converse(&mut sealed(stream, config)?, "250 good", heard)
        }
        Conduct::Refusing => {
            say(&mut stream, "220 test")?;
            converse(&mut stream, "550 no letters here", heard)
        }
        Conduct::Silent => io::copy(&mut stream, &mut io::sink()).map(drop),
    }
}

fn sealed(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

/// Answers until the client says goodbye.
fn converse(
    stream: &mut (impl Read + Write),
    to_mail: &str,
    heard: &Mutex<String>,
) -> io::Result<()> {
    let mut in_letter = false;
    loop {
        let line = line(stream)?;
        *heard.lock().unwrap_or_else(PoisonError::into_inner) += &format!("{line}\n");
        let answer = match line.split(' ').next() {
            _ if in_letter && line != "." => continue,
            Some("MAIL") => to_mail,
            Some("DATA") => "354 go on",
            Some("QUIT") => return say(stream, "221 bye"),
            _ => "250 good",
        };
        in_letter = answer.starts_with("354");
        say(stream, answer)?;
    }
}

fn until(stream: &mut impl Read, word: &str) -> io::Result<()> {
    while !line(stream)?.starts_with(word) {}
    Ok(())
}

fn say(stream: &mut impl Write, text: &str) -> io::Result<()> {
    write!(stream, "{text}\r\n")?;
    stream.flush()
}

/// The next line, and nothing of what comes after it: that may be sealed already.
fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = vec![];
    let mut byte = [0];
    while byte != *b"\n" {
        stream.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
