//! Senders of alarms: each alarm has its own ID and is sent until it is answered. They are due at a steady pace while the engine
//! lives, its starts included, whether those before them are answered or not: who is late hurries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nanming_dataflows::network::City;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};

use super::told::Told;
use super::victim::Where;
use crate::envelope::below;
use crate::running::PATIENCE;

/// Between two looks whether the next alarm is due.
const LOOK: Duration = Duration::from_millis(20);
/// So long a sender waits for an answer before it sends again.
const ANSWER: Duration = Duration::from_secs(5);
/// Of so many calls one needs two units, and one is withdrawn.
const OF: usize = 10;

pub(crate) struct Callers {
    end: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Clone)]
struct Caller {
    at: Where,
    told: Told,
    city: Arc<City>,
    next: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
    every: Duration,
    agent: ureq::Agent,
}

impl Callers {
    /// So many senders, each with an alarm every so long of the engine's lives.
    pub(crate) fn start(at: &Where, told: &Told, city: &City, seed: u64, senders: u64, every: Duration) -> Callers {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER)).build();
        let end = Arc::<AtomicBool>::default();
        let caller = Caller {
            at: at.clone(),
            told: told.clone(),
            city: Arc::new(city.clone()),
            next: Arc::new(AtomicU64::new(1)),
            end: Arc::clone(&end),
            every,
            agent: config.into(),
        };
        let start = |sender| {
            let (caller, random) = (caller.clone(), ChaCha8Rng::seed_from_u64(seed ^ (sender << 32)));
            let first = every * sender as u32 / senders as u32;
            std::thread::spawn(move || caller.call_on(first, random))
        };
        Callers { threads: (1..=senders).map(start).collect(), end }
    }

    /// No more alarms; those that were begun are answered first.
    pub(crate) fn end(self) {
        self.end.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// An alarm somewhere in the city without its ID, and its words.
pub(super) fn alarm(city: &City, id: u64, random: &mut ChaCha8Rng) -> (Value, String) {
    let post = city.units[below(random, city.units.len())].post;
    let (lon, lat) = post.to_lon_lat(city.origin).degrees();
    let priority = ["A", "B", "C"][below(random, 3)];
    let units = 1 + usize::from(below(random, OF) == 0);
    let words = format!("救命 {id}");
    let alarm = json!({"priority": priority, "category": "help", "needs": {"units": units},
                       "lon": lon, "lat": lat, "words": words});
    (alarm, words)
}

impl Caller {
    fn call_on(&self, first: Duration, mut random: ChaCha8Rng) {
        let mut due = first;
        while !self.end.load(Ordering::Relaxed) {
            self.wait_until(due);
            due += self.every;
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            self.call(id, &mut random);
            if below(&mut random, OF) == 0 {
                self.withdraw(id);
            }
        }
    }

    fn wait_until(&self, due: Duration) {
        loop {
            let left = due.saturating_sub(self.at.lived());
            if left.is_zero() || self.end.load(Ordering::Relaxed) {
                return;
            }
            std::thread::park_timeout(left.min(LOOK));
        }
    }

    fn call(&self, id: u64, random: &mut ChaCha8Rng) {
        let (mut alarm, words) = alarm(&self.city, id, random);
        alarm["id"] = id.into();
        let status = self.until_answered("POST", "/calls", &alarm.to_string());
        match status {
            200 | 201 => drop(self.told.words().accepted.insert(id, words)),
            status => self.told.complain(format!("call {id} is answered {status}")),
        }
    }

    fn withdraw(&self, id: u64) {
        let began = Instant::now();
        let mut status = self.until_answered("DELETE", &format!("/calls/{id}"), "");
        // Who reads what a failing disk has dropped finds nothing, until the next engine has written the log again.
        while status == 404 && began.elapsed() < PATIENCE {
            std::thread::park_timeout(Duration::from_millis(20));
            status = self.until_answered("DELETE", &format!("/calls/{id}"), "");
        }
        match status {
            200 => drop(self.told.words().withdrawn.insert(id)),
            // Its unit has closed it meanwhile, or what was not answered had been taken.
            409 => {}
            status => self.told.complain(format!("the withdrawal of call {id} is answered {status}")),
        }
    }

    /// Sends until there is an answer other than that it should be sent again.
    fn until_answered(&self, method: &str, path: &str, body: &str) -> u16 {
        loop {
            let answer = self.at.now().and_then(|address| {
                let uri = format!("http://{address}{path}");
                let request = ureq::http::Request::builder().method(method).uri(uri).body(body).unwrap();
                self.agent.run(request).ok()
            });
            match answer.map(|answer| answer.status().as_u16()).filter(|status| *status != 503) {
                Some(status) => return status,
                None => std::thread::park_timeout(Duration::from_millis(10)),
            }
        }
    }
}
