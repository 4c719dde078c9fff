//! The command line: every verb and option, the one source of help and completions.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps a network address answering.
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, about, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Where the daemon keeps its socket and locks; one directory for each daemon
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "MAINSTAY_RUNTIME_DIR",
        default_value = "/run/mainstay"
    )]
    pub runtime_dir: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

const AFTER_HELP: &str = "\
Exit codes: 0 good, 1 the answer is no (faults, a router in Fault), 2 wrong usage,
3 no daemon to be reached, 4 the daemon refused.";

/// What the daemon does when it is sent a signal.
const SIGNALS: &str = "\
Signals: HUP reload, TERM and INT stop, USR1 write where each router stands to the log,
USR2 write what each router has counted to the log, 36 (RTMIN+2) write the JSON dump,
63 (RTMAX-1) as USR2, and from then on both count from 0. USR1, USR2, 36 and 63
write the dump file that the configuration names; a keepalived.conf names one in /tmp for each
even if it does not say so.";

const PLAN: &str = "\
With a file: what a daemon that is started with it now would change. Without --keepalived and
--config no file is read: the running daemon is asked for the steps that it has still to take.";

const SWITCH: &str = "\
The addresses stay here and go on answering until the other node is seen to answer; the command
ends then, and says who it is and after how long. If nobody takes over, this node goes on as
before. Afterwards this node stands back: it does not preempt until it has become Active for
another reason. Exit codes: 0 handed over, 3 no daemon to be reached, 4 refused or nobody took
over.";

const DRAIN: &str = "\
A drained virtual router counts as priority 1: it serves while nobody else does, and yields to
everybody. It stays drained when the daemon's process dies and is started again, or is upgraded,
until `undrain`; a stop of the daemon or of the host ends it. Exit codes: 0 drained, 3 no daemon
to be reached, 4 refused or nobody took over.";

const UPGRADE: &str = "\
Supervisor and control process are replaced in place by the binary that is on the disk; the
addresses stay in the kernel, and no packet is lost. Exit codes: 0 the other one is in charge, 3
no daemon to be reached, 4 refused: the daemon goes on as it was.";

const BENCH: &str = "\
Both programs play on the same files in network namespaces of their own; nothing of this machine
is touched. Other work on the machine shows in the figures. Exit codes: 0 every bar is met, 1
one is missed, 4 it could not be measured.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the daemon in the foreground
    #[command(after_help = SIGNALS)]
    Run(Run),
    /// Check a configuration: every fault at once, with its place, reason and remedy
    Check(Check),
    /// Show every virtual router: state, since when, why, and who is Active
    Status(Show),
    /// Say who holds an address, why, what would follow if somebody died, and what is odd
    Explain(Explain),
    /// Show what would change in the kernel; without a file the running daemon is asked
    #[command(after_help = PLAN)]
    Plan(Plan),
    /// Give a virtual router to another node, without a moment in which nobody answers
    #[command(after_help = SWITCH)]
    Switch(Switch),
    /// Give everything away and take nothing while others can serve
    #[command(after_help = DRAIN)]
    Drain(Moved),
    /// Take part again after `drain`
    Undrain(Moved),
    /// Become the program that is installed now, without the addresses moving
    #[command(after_help = UPGRADE)]
    Upgrade(Upgrade),
    /// Make the daemon read its configuration again; a faulty one changes nothing
    Reload,
    /// Stop the daemon: it says farewell and takes its addresses down
    Stop,
    /// Turn the configuration of another program into mainstay's own
    Import(Import),
    /// Play failover in network namespaces of its own and draw what happens
    Demo(Demo),
    /// Measure what failures and planned changes cost a client, beside keepalived
    #[command(after_help = BENCH)]
    Bench(Bench),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The process that does the work, started by `run`
    #[command(hide = true)]
    Control(Control),
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct Configuration {
    /// A keepalived.conf, read as keepalived reads it
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub keepalived: Option<PathBuf>,
    /// A configuration of mainstay's own; the daemon's is /etc/mainstay/mainstay.toml unless it is told otherwise
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which `@ID` lines of a keepalived.conf count [default: the host's name]
    #[arg(long, value_name = "ID")]
    pub config_id: Option<String>,
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Where the configuration is
    #[command(flatten)]
    pub configuration: Configuration,
    /// The network namespace to run in, by its name under /run/netns; goes before that of the configuration
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// How log lines look; `auto` writes to the journal where standard error is connected to it
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// The umask of the process that does the work; goes before that of the configuration
    #[arg(long, hide = true)]
    pub umask: Option<u32>,
}

/// Options of the process that does the work.
#[derive(Clone, Debug, Args)]
pub struct Control {
    /// As `run` was told
    #[command(flatten)]
    pub run: Run,
    /// Take the place of one that works still
    #[arg(long)]
    pub succeed: bool,
    /// Hold on whatever one that died left, as nobody else has it
    #[arg(long, conflicts_with = "succeed")]
    pub resume: bool,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// The journal where standard error is connected to it, else text
    Auto,
    /// One line of text each
    Text,
    /// One JSON object each
    Json,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Where the configuration is
    #[command(flatten)]
    pub configuration: Configuration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Show {
    /// Print JSON; with `--watch` one line for each change
    #[arg(long)]
    pub json: bool,
    /// Keep showing, as things change
    #[arg(long)]
    pub watch: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The virtual router or sync group [default: all]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `switch`.
#[derive(Debug, Args)]
pub struct Switch {
    /// The virtual router, or a sync group, which moves as a whole
    pub name: String,
    /// Who shall take over: an address, or a host's name that stands for it [default: whoever wins]
    #[arg(long, value_name = "NODE-OR-ADDRESS")]
    pub to: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `drain` and `undrain`.
#[derive(Debug, Args)]
pub struct Moved {
    /// The virtual router or sync group [default: the whole node]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `upgrade`.
#[derive(Debug, Args)]
pub struct Upgrade {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Where the configuration is; none: ask the running daemon
    #[command(flatten)]
    pub configuration: Configuration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Which program's
    #[command(subcommand)]
    pub from: ImportFrom,
}

/// Whose configuration is imported.
#[derive(Debug, Subcommand)]
pub enum ImportFrom {
    /// A keepalived.conf; the TOML goes to standard output, the remarks to standard error
    Keepalived {
        /// The file
        file: PathBuf,
        /// Which `@ID` lines count [default: the host's name]
        #[arg(long, value_name = "ID")]
        config_id: Option<String>,
    },
}

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Short intervals: under fifteen seconds
    #[arg(long)]
    pub fast: bool,
    /// Print the result as JSON and nothing else
    #[arg(long)]
    pub json: bool,
    /// Where the picture goes [default: mainstay-demo.svg in the directory for temporary files]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Without keepalived beside it, even if that is installed
    #[arg(long)]
    pub alone: bool,
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// What is measured
    #[command(subcommand)]
    pub which: BenchWhich,
    /// Print JSON with every sample
    #[arg(long, global = true)]
    pub json: bool,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum BenchWhich {
    /// What a cut, a stop, a switch, a crash and a busy machine cost a client
    Failover {
        /// Which rows [default: all]
        rows: Vec<String>,
        /// How often each is played with mainstay
        #[arg(long, default_value_t = 5, value_name = "COUNT")]
        rounds: usize,
        /// How often with keepalived
        #[arg(long, default_value_t = 3, value_name = "COUNT")]
        keepalived_rounds: usize,
        /// How long the processors are saturated, in seconds
        #[arg(long, default_value_t = 60, value_name = "SECONDS")]
        saturated: u64,
    },
    /// The client's longest gap in each event of the drills, for each pair of programs
    Drills {
        /// Which drills [default: a choice of them]
        names: Vec<String>,
        /// How often each is played
        #[arg(long, default_value_t = 3, value_name = "COUNT")]
        rounds: usize,
    },
    /// Processor and memory of 255 virtual routers at 1 s
    Load {
        /// How long to measure, in seconds
        #[arg(long, default_value_t = 30, value_name = "SECONDS")]
        seconds: u64,
    },
    /// From the start to the first advertisement, with 255 virtual routers
    Start {
        /// How often
        #[arg(long, default_value_t = 5, value_name = "COUNT")]
        rounds: usize,
    },
}
