//! The stable names of all faults, each with its reason.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $name:literal: $why:literal,)*) => {
        /// The stable name of a kind of fault: the same in every release, for people and scripts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $why] $variant,)*
        }

        impl Code {
            /// All of them, in the order of their names' rooms.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The name: `vrrp/duplicate-vrid`.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// What it means and why it matters.
            pub const fn why(self) -> &'static str {
                match self { $(Code::$variant => $why,)* }
            }
        }
    };
}

codes! {
    FileMissing = "file/missing": "The file is not there.",
    FileUnreadable = "file/unreadable": "The file is there and cannot be read.",
    FileExecutable = "file/executable": "The file bears an execute bit; keepalived refuses such a file, since it is more likely a program than a configuration.",
    FileTooBig = "file/too-big": "The file is longer than any configuration; it is refused as a whole.",
    FileChanging = "file/changing": "The file was written again and again while it was read; half of it could be taken for the whole.",
    FileBinary = "file/binary": "The file holds NUL bytes, so it is not text.",
    FileNotUtf8 = "file/not-utf8": "A word is not UTF-8; its odd bytes are replaced.",
    LineTooLong = "file/line-too-long": "keepalived reads lines of up to 1024 bytes and leaves out longer ones.",
    TooMuchText = "file/too-much-text": "Included files and expanded definitions have a limit, so that a small file cannot fill the memory.",
    NoRouters = "file/no-routers": "A text without a virtual router keeps nothing answering; a daemon that has some does not give them up for it.",
    TooManyFaults = "file/too-many-faults": "Of each severity the first thousand faults are kept.",
    IncludeLoop = "include/loop": "A file includes itself, directly or through others.",
    IncludeNothing = "include/nothing": "An include names no file that is there.",
    QuoteUnclosed = "syntax/unclosed-quote": "A quote has no partner on its line.",
    BraceMissing = "syntax/missing-brace": "A block has no opening brace.",
    BraceStray = "syntax/stray-brace": "A brace closes or opens nothing.",
    BraceUnclosed = "syntax/unclosed-brace": "The text ends inside a block.",
    TooDeep = "syntax/too-deep": "Blocks are nested deeper than any configuration needs.",
    DefinitionBad = "syntax/bad-definition": "A `$`-definition or a `~`-repetition is not well formed.",
    DefinitionLoop = "syntax/definition-loop": "A definition needs itself.",
    WordsCut = "syntax/comment-in-word": "A `!` or `#` right behind a word, or escaped, or defined, begins a comment: the rest of the line is gone.",
    WordsExtra = "syntax/extra-words": "Words after those that the keyword takes are left out.",
    KeywordUnknown = "keyword/unknown": "The keyword is not known here.",
    KeywordNotCarriedOut = "keyword/not-carried-out": "The keyword is known and has no effect yet.",
    KeywordMisplaced = "keyword/misplaced": "The keyword belongs into another block.",
    KeywordTwice = "keyword/twice": "Of two such lines keepalived takes the first.",
    KeyUnknown = "key/unknown": "The key is not known here.",
    KeyMissing = "key/missing": "A key that is required is not given.",
    ValueMissing = "value/missing": "The keyword needs a value.",
    ValueBad = "value/bad": "The value is not of the right kind.",
    ValueRange = "value/out-of-range": "The value is outside of what the keyword takes.",
    ValueRounded = "value/rounded": "The value cannot be carried out as written and was rounded.",
    NameTwice = "name/duplicate": "Two things bear the same name.",
    NameUnknown = "name/unknown": "A name refers to nothing.",
    OrderLate = "order/defined-later": "keepalived knows only what stands before; mainstay takes any order.",
    AddressBad = "address/bad": "The address entry is not well formed.",
    AddressTwice = "address/duplicate": "The same address stands in two places.",
    AddressFamily = "address/mixed-families": "Advertised addresses are of one family.",
    AddressesTooMany = "address/too-many": "More addresses than fit an advertisement.",
    AddressOption = "address/option-without-effect": "An option of an address has no effect.",
    AddressLinkLocal = "address/not-link-local": "RFC 9568 wants a link-local address first.",
    VridMissing = "vrrp/no-vrid": "A virtual router needs its number.",
    VridTwice = "vrrp/duplicate-vrid": "Two virtual routers of one family on one link have the same number; they would hear each other.",
    LinkMissing = "vrrp/no-link": "A virtual router needs a link.",
    NoAddresses = "vrrp/no-addresses": "A virtual router without addresses keeps nothing answering.",
    PriorityImplied = "vrrp/implied-priority": "`state MASTER` without `priority` means 255, the address owner.",
    StateCosmetic = "vrrp/state-is-initial": "`state` says how a router starts; it does not decide who becomes Active.",
    IntervalRounded = "vrrp/interval-rounded": "Version 2 carries whole seconds, version 3 hundredths of a second.",
    IntervalMustMatch = "vrrp/interval-must-match": "Version 2 drops advertisements of another interval than its own.",
    PreemptCleared = "vrrp/preempt-cleared": "`nopreempt` and `preempt_delay` have no effect with an initial state of MASTER or priority 255.",
    PreemptConflict = "vrrp/preempt-conflict": "`preempt_delay` has no effect with `nopreempt`.",
    PasswordLong = "vrrp/long-password": "Passwords of version 2 have 8 bytes; the rest is cut.",
    PasswordMissing = "vrrp/no-password": "Authentication without a password.",
    AuthenticationVersion = "vrrp/authentication-version": "Version 3 has no authentication.",
    AuthenticationHeader = "vrrp/authentication-header": "The authentication header is not carried out; peers that use it are not understood.",
    HmacKey = "vrrp/hmac-key": "HMAC authentication needs keys of 32 to 64 bytes, and to know which of them signs.",
    AuthenticationTwice = "vrrp/authentication-twice": "A password and HMAC authentication exclude each other.",
    VersionForced = "vrrp/version-forced": "IPv6 needs version 3.",
    RoutingBad = "routing/bad": "The route or rule is not well formed.",
    RouteOption = "routing/option-without-effect": "A word of a route has no effect.",
    RulePriority = "routing/no-priority": "A rule without a priority gets one that other rules move.",
    VirtualMac = "vrrp/virtual-mac": "A virtual hardware address needs its advertisements to leave and arrive where they can.",
    AcceptOff = "vrrp/accept-off": "With accept off packets to the virtual addresses are dropped, even pings, unless the router is the owner; neighbour discovery passes.",
    Strict = "vrrp/strict": "`vrrp_strict` changes or refuses what goes beyond the RFC.",
    PeersFamily = "vrrp/peer-family": "Peers and source are of the family of the advertised addresses.",
    PeersNone = "vrrp/no-peers": "A list of unicast peers is empty.",
    GroupSmall = "group/few-members": "A sync group of fewer than two routers.",
    GroupTwice = "group/router-in-two": "A virtual router is in one sync group at most.",
    GroupTorn = "group/member-left-out": "A member of a sync group cannot stand. The others would take half of what belongs together from a peer that is whole.",
    GroupWeights = "group/member-weights": "Weights tracked by a member of a sync group have no effect unless asked for.",
    HopLimitLow = "bfd/low-hop-limit": "RFC 5881 wants a hop limit of 255, which nobody beyond the link can send; keepalived sends 64 over IPv6.",
    SessionUnweighted = "track/unweighted-session": "An unweighted session makes the router unfit when its peer dies: the observer goes into FAULT.",
    EntryLeftOut = "track/entry-left-out": "keepalived leaves a tracked thing out whose options it does not know.",
    TrackOwnLink = "track/own-link": "A router's own link is not one of those that it tracks beside it.",
    WeightsOwner = "track/owner": "Weights have no effect on the address owner.",
    ScriptMissing = "script/no-command": "A script needs a command.",
    ScriptShell = "script/shell": "A command that begins with `<` is run by the shell of the machine.",
    ScriptPath = "script/not-absolute": "A program named without its whole path is looked up where the daemon runs.",
    ProgramOdd = "script/odd-program": "A program is missing on this machine, or others could change it.",
    MailNowhere = "mail/nowhere": "Mail is asked for without a server or without a recipient.",
    TomlSyntax = "toml/syntax": "The text is not TOML.",
    VersionUnknown = "toml/version": "The file must say `version = 1`.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
