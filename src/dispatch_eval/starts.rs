//! Where units start: at places of calls, drawn as `numpy.random.default_rng(seed).integers(0, calls, units)` draws them, so
//! that replays elsewhere can start alike. numpy mixes a seed into a state (M. E. O'Neill's `seed_seq` alternatives), draws by PCG
//! XSL-RR 128/64 (O'Neill 2014), and keeps within a bound without bias by Lemire's method (2019).

/// Words of entropy that a seed is mixed into.
const POOL: usize = 4;
const INIT_A: u32 = 0x43b0_d7e5;
const MULT_A: u32 = 0x931e_8875;
const INIT_B: u32 = 0x8b51_f9dd;
const MULT_B: u32 = 0x58f3_8ded;
const MIX_L: u32 = 0xca01_f9dd;
const MIX_R: u32 = 0x4973_f715;
/// The multiplier of the generator.
const PCG: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

/// For each of `units` the row of a call among so many.
pub fn starts(seed: u64, units: usize, calls: usize) -> Vec<usize> {
    let mut random = Pcg64::new(seed);
    (0..units).map(|_| random.below(calls as u32) as usize).collect()
}

struct Pcg64 {
    state: u128,
    increment: u128,
    /// The upper half of what was drawn last, if it is not used yet.
    half: Option<u32>,
}

impl Pcg64 {
    fn new(seed: u64) -> Pcg64 {
        let [a, b, c, d] = state_of(&pool_of(seed)).map(u128::from);
        let (start, increment) = ((a << 64) | b, (((c << 64) | d) << 1) | 1);
        let mut random = Pcg64 { state: 0, increment, half: None };
        random.step();
        random.state = random.state.wrapping_add(start);
        random.step();
        random
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(PCG).wrapping_add(self.increment);
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        self.step();
        let mixed = ((self.state >> 64) as u64 ^ self.state as u64).rotate_right((self.state >> 122) as u32);
        self.half = Some((mixed >> 32) as u32);
        mixed as u32
    }

    /// A number below `bound`, which is above 1.
    fn below(&mut self, bound: u32) -> u32 {
        if bound <= 1 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }
}

/// A hash whose constant changes at each word.
fn hashed(word: u32, constant: &mut u32, multiplier: u32) -> u32 {
    let word = word ^ *constant;
    *constant = constant.wrapping_mul(multiplier);
    let word = word.wrapping_mul(*constant);
    word ^ (word >> 16)
}

fn pool_of(seed: u64) -> [u32; POOL] {
    let mut constant = INIT_A;
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(|word| hashed(word, &mut constant, MULT_A));
    for from in 0..POOL {
        for to in (0..POOL).filter(|to| *to != from) {
            let other = hashed(pool[from], &mut constant, MULT_A);
            let mixed = MIX_L.wrapping_mul(pool[to]).wrapping_sub(MIX_R.wrapping_mul(other));
            pool[to] = mixed ^ (mixed >> 16);
        }
    }
    pool
}

fn state_of(pool: &[u32; POOL]) -> [u64; 4] {
    let mut constant = INIT_B;
    let words: Vec<u64> = (0..2 * POOL).map(|n| u64::from(hashed(pool[n % POOL], &mut constant, MULT_B))).collect();
    std::array::from_fn(|n| words[2 * n] | (words[2 * n + 1] << 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From numpy 2.4.6: `default_rng(seed).integers(0, calls, units)`.
    #[test]
    fn units_start_where_numpy_has_them_start() {
        assert_eq!(starts(0, 12, 1215), [1033, 773, 621, 327, 374, 49, 91, 20, 212, 988, 789, 1108]);
        assert_eq!(starts(1, 5, 1215), [574, 621, 917, 1154, 42]);
        assert_eq!(starts(2, 5, 1215), [1017, 317, 132, 362, 502]);
        assert_eq!(starts(9, 4, 3000000000), [1264642082, 2610747611, 860451626, 2002560669]);
        assert_eq!(starts(1099511627783, 4, 1215), [250, 1008, 740, 310]);
    }
}
