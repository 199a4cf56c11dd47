//! Repeatable choices.

/// A small generator whose whole course follows from its seed (`SplitMix64`).
///
/// Not the operating system's randomness on purpose: a scenario must run the same way twice.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// A generator that starts from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// True in `percent` of a hundred cases; never for 0, always from 100 on.
    pub(super) fn chance(&mut self, percent: u8) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_makes_the_same_choices() {
        let choices = |seed| {
            let mut dice = Dice::new(seed);
            (0..64).map(|_| dice.chance(50)).collect::<Vec<_>>()
        };
        assert_eq!(choices(7), choices(7));
        assert_ne!(choices(7), choices(8));
    }

    #[test]
    fn certainties_are_certain() {
        let mut dice = Dice::new(1);
        assert!((0..100).all(|_| dice.chance(100)));
        assert!((0..100).all(|_| !dice.chance(0)));
    }
}
