//! What the operator orders: to the engine, and into what outlives this process.

use std::collections::BTreeSet;

use mainstay_api as api;
use mainstay_engine::vrrp::Name;
use mainstay_engine::{Command, vrrp};
use tokio::sync::oneshot;

use super::Work;
use crate::channel::ToEngine;
use crate::drained::Drained;
use crate::moves::Order;

impl Work {
    pub(super) fn switch(&mut self, order: api::Switch, reply: oneshot::Sender<api::Reply>) {
        let to = match order.to.as_deref().map(str::parse).transpose() {
            Ok(to) => to,
            Err(_) => {
                let why = format!("`{}` is no address", order.to.unwrap_or_default());
                return drop(reply.send(api::Reply::refused(why)));
            }
        };
        let router = Name::new(&order.router);
        let scope = self.scope(Some(&router));
        let command = Command::Switch { router, to };
        self.order(Order::Switch, (order.router, scope), command, reply);
    }

    pub(super) fn drain(&mut self, order: api::Drain, reply: oneshot::Sender<api::Reply>) {
        let router = order.router.as_deref().map(Name::new);
        let scope = self.scope(router.as_ref());
        self.change_drained(|drained, _| drained.drain(scope.as_ref()));
        let object = order.router.unwrap_or_else(|| "the node".to_owned());
        self.order(Order::Drain, (object, scope), Command::Drain { router }, reply);
    }

    pub(super) fn undrain(&mut self, order: api::Drain, reply: oneshot::Sender<api::Reply>) {
        let router = order.router.as_deref().map(Name::new);
        let scope = self.scope(router.as_ref());
        self.change_drained(|drained, all| drained.undrain(scope.as_ref(), all.into_iter()));
        let object = order.router.unwrap_or_else(|| "the node".to_owned());
        self.order(Order::Undrain, (object, scope), Command::Undrain { router }, reply);
    }

    fn order(
        &mut self,
        order: Order,
        about: (String, Option<BTreeSet<Name>>),
        command: Command,
        reply: oneshot::Sender<api::Reply>,
    ) {
        if self.stopping {
            return drop(reply.send(api::Reply::refused("it is stopping")));
        }
        let number = self.moves.open(order, about, reply);
        self.engine.send(ToEngine::Order(command, number));
    }

    /// The routers that a name stands for: the router, or the group, with all members of its group.
    fn scope(&self, name: Option<&Name>) -> Option<BTreeSet<Name>> {
        let name = name?;
        let is_it =
            |group: &&vrrp::GroupSettings| group.name == *name || group.members.contains(name);
        let group = self.settings.vrrp.groups.iter().find(is_it);
        let members = group.into_iter().flat_map(|group| group.members.iter().cloned());
        Some(members.chain([name.clone()]).collect())
    }

    /// Routers that came with a reload, or with this process, know nothing of what was drained.
    pub(super) fn drain_what_is_drained(&mut self) {
        for command in self.facts.now().drained.commands() {
            let number = self.moves.unasked();
            self.engine.send(ToEngine::Order(command, number));
        }
    }

    /// Changes what is drained, for this process and the next one.
    fn change_drained(&mut self, change: impl FnOnce(&mut Drained, Vec<Name>)) {
        let routers = self.settings.vrrp.routers.iter().map(|router| router.name.clone());
        let drained = self.facts.drained(|drained| change(drained, routers.collect()));
        self.keep(self.kept.directory.drained(), drained.written());
    }
}
