//! Every keyword of keepalived.conf that is known, and what becomes of it.

use self::Block::{
    Authentication, Bfd, File, Global, Group, Hmac, Instance, Other, Pacing, Process, Root, Script,
};
use self::Form::{Braces, Words};
use self::Status::{Added, CarriedOut, NoEffect, Refused, Skipped};

/// A keyword, where it stands and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// The block that it stands in.
    pub block: Block,
    /// The keyword itself.
    pub name: &'static str,
    /// What becomes of it.
    pub status: Status,
    /// Whether it opens a block of its own.
    pub form: Form,
}

/// A block of keepalived.conf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Block {
    /// The file itself.
    Root,
    /// `global_defs`.
    Global,
    /// `vrrp_instance`.
    Instance,
    /// `authentication` of an instance.
    Authentication,
    /// `auth_hmac` of an instance.
    Hmac,
    /// `vrrp_sync_group`.
    Group,
    /// `vrrp_script`.
    Script,
    /// `track_file`.
    File,
    /// `vrrp_track_process`.
    Process,
    /// `bfd_instance`.
    Bfd,
    /// `garp_group`.
    Pacing,
    /// A block whose inside is not looked at.
    Other,
}

impl Block {
    /// Where its keywords stand, in words.
    pub const fn place(self) -> &'static str {
        match self {
            Root => "at the top, outside of all blocks",
            Global => "in `global_defs`",
            Instance => "in `vrrp_instance`",
            Authentication => "in `authentication` of an instance",
            Hmac => "in `auth_hmac` of an instance",
            Group => "in `vrrp_sync_group`",
            Script => "in `vrrp_script`",
            File => "in `track_file`",
            Process => "in `vrrp_track_process`",
            Bfd => "in `bfd_instance`",
            Pacing => "in `garp_group`",
            Other => "in another block",
        }
    }
}

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what it does in keepalived.
    CarriedOut,
    /// It is carried out, and keepalived does not know it.
    Added,
    /// It is read, has no effect and is named in a warning; the reason.
    NoEffect(&'static str),
    /// It belongs to another subsystem and is passed over without a word; the reason.
    Skipped(&'static str),
    /// It is refused, since leaving it out would be dangerous; the reason.
    Refused(&'static str),
}

impl Status {
    /// Whether it does something.
    pub fn is_carried_out(self) -> bool {
        matches!(self, Status::CarriedOut | Status::Added)
    }
}

/// What follows a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Words on the same line, or none.
    Words,
    /// A block.
    Braces,
}

/// The block that a keyword opens, by the keyword.
pub(super) fn block_of(keyword: &str) -> Block {
    match keyword {
        "" => Root,
        "global_defs" => Global,
        "vrrp_instance" => Instance,
        "authentication" => Authentication,
        "auth_hmac" => Hmac,
        "vrrp_sync_group" => Group,
        "vrrp_script" => Script,
        "track_file" | "vrrp_track_file" => File,
        "vrrp_track_process" => Process,
        "bfd_instance" => Bfd,
        "garp_group" => Pacing,
        _ => Other,
    }
}

/// The table's entry for a keyword of a block.
pub(super) fn find(block: Block, name: &str) -> Option<&'static Keyword> {
    of_block(block).iter().find(|keyword| keyword.name == name)
}

/// Whether a keyword always opens a block.
pub(super) fn opens_block(parent: &str, keyword: &str) -> bool {
    find(block_of(parent), keyword).is_some_and(|keyword| keyword.form == Braces)
}

/// Whether a keyword, or an entry of a list such as `virtual_ipaddress`, never opens a block.
pub(super) fn takes_no_block(parent: &str, keyword: &str) -> bool {
    let block = block_of(parent);
    let is_list = |known: &Keyword| known.name == parent && known.status.is_carried_out();
    if block == Other && parent != "track_group" {
        return keywords().any(is_list);
    }
    find(block, keyword).is_some_and(|keyword| keyword.form == Words)
}

/// All keywords, for the documentation and for suggestions.
pub fn keywords() -> impl Iterator<Item = &'static Keyword> {
    [ROOT, GLOBAL, INSTANCE, AUTHENTICATION, HMAC, GROUP, SCRIPT, FILE, PROCESS, BFD, PACING]
        .into_iter()
        .flatten()
}

/// The keywords of one block.
pub(super) fn of_block(block: Block) -> &'static [Keyword] {
    match block {
        Root => ROOT,
        Global => GLOBAL,
        Instance => INSTANCE,
        Authentication => AUTHENTICATION,
        Hmac => HMAC,
        Group => GROUP,
        Script => SCRIPT,
        File => FILE,
        Process => PROCESS,
        Bfd => BFD,
        Pacing => PACING,
        Other => &[],
    }
}

const fn key(block: Block, name: &'static str, status: Status) -> Keyword {
    Keyword { block, name, status, form: Words }
}

const fn braces(block: Block, name: &'static str, status: Status) -> Keyword {
    Keyword { block, name, status, form: Braces }
}

const LVS: Status =
    Skipped("virtual servers are keepalived's other half, which mainstay does not take over");
const TUNING: Status = NoEffect("it tunes the insides of keepalived");
const SAVED: Status =
    NoEffect("the settings in force are in `last-good.toml` in the runtime directory");
const COPIED: Status = NoEffect(
    "the files are read at once, and a faulty one changes nothing, so that no copy is needed",
);
const MANAGEMENT: Status = NoEffect("SNMP and D-Bus are not served");
const FIREWALL: Status =
    NoEffect("the packet filter is nftables, in tables of its own at a fixed priority");
const OF_INSTANCES: Status =
    NoEffect("keepalived 2.2.7 knows it in instances only: write it in each of the group's");
const HARMLESS: Status = Skipped("it is not needed here");

#[rustfmt::skip]
static ROOT: &[Keyword] = &[
    braces(Root, "global_defs", CarriedOut),
    braces(Root, "vrrp_instance", CarriedOut),
    braces(Root, "vrrp_sync_group", CarriedOut),
    braces(Root, "vrrp_script", CarriedOut),
    key(Root, "include_check", CarriedOut),
    braces(Root, "static_ipaddress", CarriedOut),
    braces(Root, "static_routes", CarriedOut),
    braces(Root, "static_rules", CarriedOut),
    braces(Root, "track_group", CarriedOut),
    braces(Root, "track_file", CarriedOut),
    braces(Root, "vrrp_track_file", CarriedOut),
    braces(Root, "vrrp_track_process", CarriedOut),
    braces(Root, "bfd_instance", CarriedOut),
    braces(Root, "garp_group", CarriedOut),
    braces(Root, "interface_up_down_delays", CarriedOut),
    key(Root, "linkbeat_use_polling", CarriedOut),
    braces(Root, "linkbeat_interfaces", CarriedOut),
    key(Root, "net_namespace", CarriedOut),
    key(Root, "net_namespace_ipvs", LVS),
    key(Root, "namespace_with_ipsets", HARMLESS),
    key(Root, "instance", CarriedOut),
    key(Root, "use_pid_dir", HARMLESS),
    key(Root, "child_wait_time", HARMLESS),
    braces(Root, "virtual_server", LVS),
    braces(Root, "virtual_server_group", LVS),
    braces(Root, "real_server", LVS),
    braces(Root, "SSL", LVS),
    braces(Root, "sorry_server", LVS),
];

#[rustfmt::skip]
static GLOBAL: &[Keyword] = &[
    key(Global, "router_id", CarriedOut),
    key(Global, "script_user", CarriedOut),
    key(Global, "enable_script_security", CarriedOut),
    key(Global, "vrrp_skip_check_adv_addr", CarriedOut),
    key(Global, "vrrp_strict", CarriedOut),
    key(Global, "vrrp_version", CarriedOut),
    key(Global, "vrrp_mcast_group4", CarriedOut),
    key(Global, "vrrp_mcast_group6", CarriedOut),
    key(Global, "vrrp_garp_master_delay", CarriedOut),
    key(Global, "vrrp_garp_master_repeat", CarriedOut),
    key(Global, "vrrp_garp_master_refresh", CarriedOut),
    key(Global, "vrrp_garp_master_refresh_repeat", CarriedOut),
    key(Global, "vrrp_garp_lower_prio_delay", CarriedOut),
    key(Global, "vrrp_garp_lower_prio_repeat", CarriedOut),
    key(Global, "vrrp_garp_interval", CarriedOut),
    key(Global, "vrrp_gna_interval", CarriedOut),
    key(Global, "vrrp_lower_prio_no_advert", CarriedOut),
    key(Global, "vrrp_higher_prio_send_advert", CarriedOut),
    key(Global, "vrrp_down_timer_adverts", CarriedOut),
    key(Global, "vrrp_check_unicast_src", CarriedOut),
    key(Global, "vrrp_startup_delay", CarriedOut),
    key(Global, "default_interface", CarriedOut),
    key(Global, "instance", CarriedOut),
    key(Global, "include_check", CarriedOut),
    key(Global, "sync_group_tracking_weight", CarriedOut),
    key(Global, "dynamic_interfaces", CarriedOut),
    braces(Global, "notification_email", CarriedOut),
    key(Global, "notification_email_from", CarriedOut),
    key(Global, "smtp_server", CarriedOut),
    key(Global, "smtp_helo_name", CarriedOut),
    key(Global, "smtp_connect_timeout", CarriedOut),
    key(Global, "smtp_alert", CarriedOut),
    key(Global, "smtp_alert_vrrp", CarriedOut),
    key(Global, "smtp_alert_checker", LVS),
    key(Global, "email_faults", CarriedOut),
    key(Global, "no_email_faults", CarriedOut),
    key(Global, "max_auto_priority", TUNING),
    key(Global, "min_auto_priority_delay", TUNING),
    key(Global, "vrrp_priority", TUNING),
    key(Global, "vrrp_rt_priority", TUNING),
    key(Global, "vrrp_no_swap", TUNING),
    key(Global, "vrrp_cpu_affinity", TUNING),
    key(Global, "vrrp_rlimit_rttime", TUNING),
    key(Global, "vrrp_rlimit_rtime", TUNING),
    key(Global, "notify_fifo", CarriedOut),
    key(Global, "notify_fifo_script", CarriedOut),
    key(Global, "vrrp_notify_fifo", CarriedOut),
    key(Global, "vrrp_notify_fifo_script", CarriedOut),
    key(Global, "lvs_notify_fifo", LVS),
    key(Global, "lvs_notify_fifo_script", LVS),
    key(Global, "fifo_write_vrrp_states_on_reload", CarriedOut),
    key(Global, "vrrp_notify_priority_changes", CarriedOut),
    key(Global, "notify_priority_changes", CarriedOut),
    key(Global, "startup_script", CarriedOut),
    key(Global, "startup_script_timeout", CarriedOut),
    key(Global, "shutdown_script", CarriedOut),
    key(Global, "shutdown_script_timeout", CarriedOut),
    key(Global, "vrrp_delay_after_boot", CarriedOut),
    key(Global, "vrrp_min_garp", CarriedOut),
    key(Global, "vrrp_garp_extra_if", CarriedOut),
    key(Global, "vrrp_vmac_garp_intvl", CarriedOut),
    key(Global, "vrrp_owner_ignore_adverts", CarriedOut),
    key(Global, "vrrp_unicast_fault_no_peer", CarriedOut),
    key(Global, "log_unknown_vrids", NoEffect("unknown router numbers are counted; ask `mainstay status`")),
    key(Global, "use_vmac", NoEffect("it belongs into `vrrp_instance`")),
    key(Global, "vmac_prefix", CarriedOut),
    key(Global, "vmac_addr_prefix", CarriedOut),
    key(Global, "linkbeat_use_polling", NoEffect("it belongs at the top, outside of all blocks")),
    braces(Global, "linkbeat_interfaces", NoEffect("it belongs at the top, outside of all blocks")),
    braces(Global, "interface_up_down_delays", CarriedOut),
    key(Global, "reload_check_config", Skipped("every reload checks the whole file first")),
    key(Global, "reload_time_file", CarriedOut),
    key(Global, "reload_repeat", CarriedOut),
    key(Global, "reload_file", CarriedOut),
    key(Global, "json_version", CarriedOut),
    key(Global, "state_dump_file", CarriedOut),
    key(Global, "stats_dump_file", CarriedOut),
    key(Global, "json_dump_file", CarriedOut),
    key(Global, "data_use_instance", CarriedOut),
    key(Global, "process_name", TUNING),
    key(Global, "process_names", TUNING),
    key(Global, "vrrp_process_name", TUNING),
    key(Global, "checker_process_name", LVS),
    key(Global, "bfd_process_name", TUNING),
    key(Global, "net_namespace", CarriedOut),
    key(Global, "net_namespace_ipvs", LVS),
    key(Global, "namespace_with_ipsets", HARMLESS),
    key(Global, "use_pid_dir", HARMLESS),
    key(Global, "child_wait_time", HARMLESS),
    key(Global, "umask", CarriedOut),
    key(Global, "nftables", FIREWALL),
    key(Global, "nftables_priority", FIREWALL),
    key(Global, "nftables_counters", FIREWALL),
    key(Global, "nftables_ifindex", FIREWALL),
    key(Global, "nftables_ipvs", LVS),
    key(Global, "nftables_ipvs_priority", LVS),
    key(Global, "nftables_ipvs_start_fwmark", LVS),
    key(Global, "vrrp_iptables", FIREWALL),
    key(Global, "vrrp_ipsets", FIREWALL),
    key(Global, "disable_local_igmp", TUNING),
    key(Global, "vrrp_netlink_cmd_rcv_bufs", TUNING),
    key(Global, "vrrp_netlink_cmd_rcv_bufs_force", TUNING),
    key(Global, "vrrp_netlink_monitor_rcv_bufs", TUNING),
    key(Global, "vrrp_netlink_monitor_rcv_bufs_force", TUNING),
    key(Global, "lvs_netlink_cmd_rcv_bufs", LVS),
    key(Global, "lvs_netlink_cmd_rcv_bufs_force", LVS),
    key(Global, "lvs_netlink_monitor_rcv_bufs", LVS),
    key(Global, "lvs_netlink_monitor_rcv_bufs_force", LVS),
    key(Global, "process_monitor_rcv_bufs", TUNING),
    key(Global, "process_monitor_rcv_bufs_force", TUNING),
    key(Global, "vrrp_rx_bufs_policy", TUNING),
    key(Global, "vrrp_rx_bufs_multiplier", TUNING),
    key(Global, "kernel_rx_buf_size", TUNING),
    key(Global, "timer_expired_backup", TUNING),
    key(Global, "thread_timer_expired", TUNING),
    key(Global, "snmp_socket", MANAGEMENT),
    key(Global, "enable_traps", MANAGEMENT),
    key(Global, "enable_snmp_keepalived", MANAGEMENT),
    key(Global, "enable_snmp_vrrp", MANAGEMENT),
    key(Global, "enable_snmp_checker", LVS),
    key(Global, "enable_snmp_rfc", MANAGEMENT),
    key(Global, "enable_snmp_rfcv2", MANAGEMENT),
    key(Global, "enable_snmp_rfcv3", MANAGEMENT),
    key(Global, "enable_dbus", MANAGEMENT),
    key(Global, "dbus_service_name", MANAGEMENT),
    key(Global, "dbus_no_interface_name", MANAGEMENT),
    key(Global, "random_seed", TUNING),
    key(Global, "config_save_dir", SAVED),
    key(Global, "config_copy_directory", COPIED),
    key(Global, "tmp_config_directory", HARMLESS),
    key(Global, "iproute_usr_dir", CarriedOut),
    key(Global, "iproute_etc_dir", CarriedOut),
    key(Global, "use_symlink_paths", Skipped("programs are always run by the path that is written")),
    key(Global, "set_supplementary_groups", CarriedOut),
    key(Global, "lvs_id", LVS),
    key(Global, "lvs_sync_daemon", LVS),
    key(Global, "lvs_sync_daemon_interface", LVS),
    key(Global, "lvs_timeouts", LVS),
    key(Global, "lvs_flush", LVS),
    key(Global, "lvs_flush_onstop", LVS),
    key(Global, "lvs_flush_on_stop", LVS),
    key(Global, "rs_init_notifies", LVS),
    key(Global, "no_checker_emails", LVS),
    key(Global, "checker_log_all_failures", LVS),
    key(Global, "checker_priority", LVS),
    key(Global, "checker_no_swap", LVS),
    key(Global, "checker_rt_priority", LVS),
    key(Global, "checker_cpu_affinity", LVS),
    key(Global, "checker_rlimit_rttime", LVS),
    key(Global, "checker_rlimit_rtime", LVS),
    key(Global, "bfd_priority", TUNING),
    key(Global, "bfd_no_swap", TUNING),
    key(Global, "bfd_rt_priority", TUNING),
    key(Global, "bfd_cpu_affinity", TUNING),
    key(Global, "bfd_rlimit_rttime", TUNING),
    key(Global, "bfd_rlimit_rtime", TUNING),
];

#[rustfmt::skip]
static INSTANCE: &[Keyword] = &[
    key(Instance, "state", CarriedOut),
    key(Instance, "interface", CarriedOut),
    key(Instance, "virtual_router_id", CarriedOut),
    key(Instance, "priority", CarriedOut),
    key(Instance, "advert_int", CarriedOut),
    braces(Instance, "authentication", CarriedOut),
    braces(Instance, "auth_hmac", CarriedOut),
    braces(Instance, "virtual_ipaddress", CarriedOut),
    braces(Instance, "virtual_ipaddress_excluded", CarriedOut),
    key(Instance, "unicast_src_ip", CarriedOut),
    key(Instance, "mcast_src_ip", CarriedOut),
    braces(Instance, "unicast_peer", CarriedOut),
    key(Instance, "unicast_ttl", CarriedOut),
    key(Instance, "mcast_dst_ip", CarriedOut),
    key(Instance, "check_unicast_src", CarriedOut),
    key(Instance, "nopreempt", CarriedOut),
    key(Instance, "preempt", CarriedOut),
    key(Instance, "preempt_delay", CarriedOut),
    braces(Instance, "track_interface", CarriedOut),
    braces(Instance, "track_script", CarriedOut),
    key(Instance, "notify_master", CarriedOut),
    key(Instance, "notify_backup", CarriedOut),
    key(Instance, "notify_fault", CarriedOut),
    key(Instance, "notify_stop", CarriedOut),
    key(Instance, "notify", CarriedOut),
    key(Instance, "notify_master_rx_lower_pri", CarriedOut),
    key(Instance, "notify_two_holders", Added),
    key(Instance, "garp_master_delay", CarriedOut),
    key(Instance, "garp_master_repeat", CarriedOut),
    key(Instance, "garp_master_refresh", CarriedOut),
    key(Instance, "garp_master_refresh_repeat", CarriedOut),
    key(Instance, "garp_lower_prio_delay", CarriedOut),
    key(Instance, "garp_lower_prio_repeat", CarriedOut),
    key(Instance, "garp_interval", CarriedOut),
    key(Instance, "gna_interval", CarriedOut),
    key(Instance, "dont_track_primary", CarriedOut),
    key(Instance, "track_primary", CarriedOut),
    key(Instance, "version", CarriedOut),
    key(Instance, "native_ipv6", CarriedOut),
    key(Instance, "accept", CarriedOut),
    key(Instance, "no_accept", CarriedOut),
    key(Instance, "strict_mode", CarriedOut),
    key(Instance, "skip_check_adv_addr", CarriedOut),
    key(Instance, "lower_prio_no_advert", CarriedOut),
    key(Instance, "higher_prio_send_advert", CarriedOut),
    key(Instance, "down_timer_adverts", CarriedOut),
    key(Instance, "v3_checksum_as_v2", CarriedOut),
    key(Instance, "old_unicast_checksum", NoEffect("peers of every age are recognised by themselves")),
    key(Instance, "track_src_ip", CarriedOut),
    key(Instance, "smtp_alert", CarriedOut),
    key(Instance, "use_vmac", CarriedOut),
    key(Instance, "vmac_xmit_base", CarriedOut),
    key(Instance, "use_vmac_addr", CarriedOut),
    key(Instance, "use_ipvlan", CarriedOut),
    key(Instance, "garp_extra_if", CarriedOut),
    key(Instance, "vmac_garp_intvl", CarriedOut),
    key(Instance, "vrf", CarriedOut),
    key(Instance, "no_virtual_ipaddress", CarriedOut),
    key(Instance, "promote_secondaries", CarriedOut),
    key(Instance, "owner_ignore_adverts", CarriedOut),
    key(Instance, "unicast_fault_no_peer", CarriedOut),
    key(Instance, "notify_deleted", CarriedOut),
    key(Instance, "notify_priority_changes", CarriedOut),
    braces(Instance, "track_file", CarriedOut),
    braces(Instance, "track_process", CarriedOut),
    braces(Instance, "track_bfd", CarriedOut),
    braces(Instance, "virtual_routes", CarriedOut),
    braces(Instance, "virtual_rules", CarriedOut),
    key(Instance, "debug", TUNING),
    key(Instance, "kernel_rx_buf_size", TUNING),
    key(Instance, "lvs_sync_daemon_interface", LVS),
    key(Instance, "linkbeat_use_polling", CarriedOut),
];

#[rustfmt::skip]
static AUTHENTICATION: &[Keyword] = &[
    key(Authentication, "auth_type", CarriedOut),
    key(Authentication, "auth_pass", CarriedOut),
    braces(Authentication, "auth_hmac", Refused("it stands in the instance itself, not in `authentication`")),
];

#[rustfmt::skip]
static HMAC: &[Keyword] = &[
    key(Hmac, "key", CarriedOut),
    key(Hmac, "active_key", CarriedOut),
    key(Hmac, "anti_replay", CarriedOut),
    key(Hmac, "time_window", CarriedOut),
    key(Hmac, "mode", CarriedOut),
];

#[rustfmt::skip]
static GROUP: &[Keyword] = &[
    braces(Group, "group", CarriedOut),
    braces(Group, "track_interface", CarriedOut),
    braces(Group, "track_script", CarriedOut),
    braces(Group, "track_file", CarriedOut),
    braces(Group, "track_process", CarriedOut),
    braces(Group, "track_bfd", CarriedOut),
    key(Group, "notify_master", CarriedOut),
    key(Group, "notify_backup", CarriedOut),
    key(Group, "notify_fault", CarriedOut),
    key(Group, "notify_stop", CarriedOut),
    key(Group, "notify_deleted", OF_INSTANCES),
    key(Group, "notify_master_rx_lower_pri", OF_INSTANCES),
    key(Group, "notify", CarriedOut),
    key(Group, "smtp_alert", CarriedOut),
    key(Group, "notify_priority_changes", CarriedOut),
    key(Group, "global_tracking", Skipped("it is obsolete in keepalived")),
    key(Group, "sync_group_tracking_weight", CarriedOut),
];

#[rustfmt::skip]
static SCRIPT: &[Keyword] = &[
    key(Script, "script", CarriedOut),
    key(Script, "interval", CarriedOut),
    key(Script, "timeout", CarriedOut),
    key(Script, "weight", CarriedOut),
    key(Script, "rise", CarriedOut),
    key(Script, "fall", CarriedOut),
    key(Script, "user", CarriedOut),
    key(Script, "init_fail", CarriedOut),
];

#[rustfmt::skip]
static FILE: &[Keyword] = &[
    key(File, "file", CarriedOut),
    key(File, "weight", CarriedOut),
    key(File, "init_file", CarriedOut),
];

#[rustfmt::skip]
static PROCESS: &[Keyword] = &[
    key(Process, "process", CarriedOut),
    key(Process, "param_match", CarriedOut),
    key(Process, "weight", CarriedOut),
    key(Process, "quorum", CarriedOut),
    key(Process, "quorum_max", CarriedOut),
    key(Process, "delay", CarriedOut),
    key(Process, "fork_delay", CarriedOut),
    key(Process, "terminate_delay", CarriedOut),
    key(Process, "full_command", CarriedOut),
];

#[rustfmt::skip]
static BFD: &[Keyword] = &[
    key(Bfd, "neighbor_ip", CarriedOut),
    key(Bfd, "neighbour_ip", CarriedOut),
    key(Bfd, "source_ip", CarriedOut),
    key(Bfd, "min_rx", CarriedOut),
    key(Bfd, "min_tx", CarriedOut),
    key(Bfd, "idle_tx", CarriedOut),
    key(Bfd, "multiplier", CarriedOut),
    key(Bfd, "passive", CarriedOut),
    key(Bfd, "ttl", CarriedOut),
    key(Bfd, "hoplimit", CarriedOut),
    key(Bfd, "max_hops", CarriedOut),
    key(Bfd, "weight", CarriedOut),
    key(Bfd, "multihop", Refused("sessions over several hops (RFC 5883) are not carried out")),
];

#[rustfmt::skip]
static PACING: &[Keyword] = &[
    key(Pacing, "garp_interval", CarriedOut),
    key(Pacing, "gna_interval", CarriedOut),
    key(Pacing, "interface", CarriedOut),
    braces(Pacing, "interfaces", CarriedOut),
];
