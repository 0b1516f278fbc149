//! Who looks after which point: the assignment of least travel within what each person can look after. It is made anew
//! when somebody goes for long or comes back, and moves a point only where that saves more than `move_ms`.

use std::collections::BTreeMap;

use super::assign::{FORBIDDEN, least_cost};
use super::clerk::Clerk;
use crate::decision::{Reason, RosterDuty, RosterWord};
use crate::event::PointDuty;
use crate::ids::{PersonId, PointId};
use crate::network::{DutyPoint, Person};

/// An absence without an end, ms.
const FOR_EVER_MS: u64 = 1 << 52;

impl<'a> Clerk<'a> {
    pub(super) fn restore_duty(&mut self, duty: &PointDuty) -> Result<(), Reason> {
        let role = self.roster.roles.get(usize::from(duty.role)).filter(|role| role.is_standing);
        role.and(self.roster.point(duty.point)).ok_or(Reason::UnknownDuty)?;
        duty.person.map_or(Ok(()), |person| self.known(person))?;
        self.book.duties.insert((duty.role, duty.point), *duty);
        self.untold.insert((duty.role, duty.point));
        Ok(())
    }

    /// Gives out points where persons went or came back for long, or where it was never done.
    pub(super) fn give_out_points(&mut self) {
        let away = self.book.away(self.roster, self.tick);
        if self.book.has_begun && away == self.book.away {
            return;
        }
        self.book.away = away;
        let roles = self.roster.roles.iter().enumerate().filter(|(_, role)| role.is_standing);
        for (role, _) in roles {
            if self.book.has_begun || !self.is_given_out(role as u8) {
                self.give_out_role(role as u8);
            }
        }
        self.book.has_begun = true;
    }

    /// Whether every point is somebody's who is there, as the ledger has it; or nobody's, where there is not room for all.
    fn is_given_out(&self, role: u8) -> bool {
        let room: usize = self.there(role).iter().map(|person| usize::from(person.points)).sum();
        let is_short = room < self.roster.points.len();
        let holds = |duty: &PointDuty| duty.person.map_or(is_short, |person| !self.book.away.contains(&person));
        self.roster.points.iter().all(|point| self.book.duties.get(&(role, point.id)).is_some_and(holds))
    }

    /// Persons of a role who are not away for long.
    fn there(&self, role: u8) -> Vec<&'a Person> {
        let roster = self.roster;
        roster.persons.iter().filter(|p| p.role == role && !self.book.away.contains(&p.id)).collect()
    }

    fn give_out_role(&mut self, role: u8) {
        let persons = self.there(role);
        let column: BTreeMap<PersonId, usize> = persons.iter().enumerate().map(|(row, p)| (p.id, row)).collect();
        let mut room: Vec<u16> = persons.iter().map(|person| person.points).collect();
        let (mut points, mut costs) = (Vec::new(), Vec::new());
        // Where there is not room for all, those go without that nobody looks after now.
        let is_held = |point: &&DutyPoint| {
            let holder = self.book.duties.get(&(role, point.id)).and_then(|duty| duty.person);
            holder.is_some_and(|person| column.contains_key(&person))
        };
        let (held, others): (Vec<_>, Vec<_>) = self.roster.points.iter().partition(is_held);
        for point in held.into_iter().chain(others) {
            let before = self.book.duties.get(&(role, point.id));
            let holder = before.and_then(|duty| Some((duty.is_handed, *column.get(&duty.person?)?)));
            if let Some((true, column)) = holder.filter(|(_, column)| room[*column] > 0) {
                room[column] -= 1;
                continue;
            }
            let moved = |row: usize| holder.is_some_and(|(_, column)| column != row);
            let cost = |(row, person): (usize, &&Person)| {
                let move_ms = if moved(row) { self.roster.move_ms } else { 0 };
                (self.roster.travel_ms(person.at, point.at) + move_ms) as i64
            };
            points.push(point.id);
            costs.push(persons.iter().enumerate().map(cost).collect::<Vec<i64>>());
        }
        debug_assert!(costs.iter().flatten().all(|cost| *cost < FORBIDDEN));
        for (point, column) in points.iter().zip(least_cost(&costs, &room)) {
            let person = column.map(|column| persons[column].id);
            self.set_duty(PointDuty { role, point: *point, person, is_handed: false });
        }
    }

    fn set_duty(&mut self, duty: PointDuty) {
        let key = (duty.role, duty.point);
        if self.book.duties.insert(key, duty) != Some(duty) {
            self.untold.insert(key);
        }
    }

    /// Points go to another of the same role, all of them or none.
    pub(super) fn hand_points(&mut self, from: PersonId, to: PersonId) -> Result<(), Reason> {
        let role = |id| self.roster.person(id).map(|person| person.role);
        if from == to || role(from) != role(to) {
            return Err(Reason::UnknownDuty);
        }
        let points = self.book.points_of(from);
        let room = self.roster.person(to).map_or(0, |person| usize::from(person.points));
        let is_full = points.len() + self.book.points_of(to).len() > room;
        if !points.is_empty() && (is_full || self.book.away(self.roster, self.tick).contains(&to)) {
            return Err(Reason::NoRoom);
        }
        points.into_iter().for_each(|(role, point)| self.set_duty(handed(role, point, to)));
        Ok(())
    }

    /// A person gives all away to whoever is best, and is away until told otherwise.
    pub(super) fn leave(&mut self, person: PersonId) -> Result<(), Reason> {
        self.absent(person, self.tick, self.tick + FOR_EVER_MS)
    }

    /// Says whose points are that changed.
    pub(super) fn tell_duties(&mut self) {
        let (roster, time_ms) = (self.roster.id, self.tick);
        for key in std::mem::take(&mut self.untold) {
            if let Some(duty) = self.book.duties.get(&key).copied() {
                self.say(RosterWord::Duty(RosterDuty { roster, time_ms, duty }));
            }
        }
    }
}

fn handed(role: u8, point: PointId, to: PersonId) -> PointDuty {
    PointDuty { role, point, person: Some(to), is_handed: true }
}
