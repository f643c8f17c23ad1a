//! Bounds and intervals at 95 % confidence.

/// No hit in `tries`: the rate per try is at most this with 95 % confidence, `1 − 0.05^(1/n)`
/// (Louis 1981, "Confidence intervals for a binomial parameter after observing no successes").
pub(crate) fn bound(tries: u64) -> f64 {
    if tries == 0 { 1.0 } else { 1.0 - 0.05_f64.powf(1.0 / tries as f64) }
}

/// The exact interval of Clopper and Pearson (1934) for `hits` of `of`, two-sided at 95 %.
pub(crate) fn clopper_pearson(hits: u64, of: u64) -> (f64, f64) {
    let (k, n) = (hits as f64, of as f64);
    let low = if hits == 0 { 0.0 } else { solve(|p| incomplete_beta(p, k, n - k + 1.0) - 0.025) };
    let high = if hits >= of { 1.0 } else { solve(|p| incomplete_beta(p, k + 1.0, n - k) - 0.975) };
    (low, high)
}

/// The root of a rising function between 0 and 1, by halving.
fn solve(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function by its continued fraction (Press et al., "Numerical Recipes",
/// section 6.4; Abramowitz and Stegun 26.5.8).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(x, a, b) / a
    } else {
        1.0 - front * continued_fraction(1.0 - x, b, a) / b
    }
}

#[expect(clippy::many_single_char_names, reason = "the letters of the source")]
/// Lentz's method. Some hundred terms are enough for samples of millions, thousands for more.
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let floor = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / floor(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..20_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / floor(1.0 + even * d);
        c = floor(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / floor(1.0 + odd * d);
        c = floor(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    fraction
}

/// Logarithm of the gamma function (Lanczos 1964, coefficients for g = 7).
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let start = 0.999_999_999_999_809_9;
    let sum = COEFFICIENTS.iter().zip(1..).fold(start, |sum, (c, i)| sum + c / (x + f64::from(i)));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bounds_are_those_that_are_quoted() {
        let percent = |tries| (bound(tries) * 100.0).round() as u64;
        assert_eq!([percent(0), percent(1), percent(3), percent(10), percent(59)], [100, 95, 63, 26, 5]);
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Known answers: R 4.3, binom.test(x, n)$conf.int.
        let close = |(low, high): (f64, f64), expected: (f64, f64)| {
            assert!((low - expected.0).abs() < 1e-6 && (high - expected.1).abs() < 1e-6, "{low} {high}");
        };
        close(clopper_pearson(0, 10), (0.0, 0.308_497_1));
        close(clopper_pearson(10, 10), (0.691_502_9, 1.0));
        close(clopper_pearson(5, 10), (0.187_086_0, 0.812_914_0));
        close(clopper_pearson(1, 20), (0.001_265_1, 0.248_732_8));
    }

    proptest! {
        #[test]
        fn an_interval_holds_the_share_and_narrows_with_the_sample(hits in 0u64..200, more in 0u64..200) {
            let of = hits + more + 1;
            let share = hits as f64 / of as f64;
            let (low, high) = clopper_pearson(hits, of);
            prop_assert!(low <= share + 1e-9 && share <= high + 1e-9);
            let (low_10, high_10) = clopper_pearson(hits * 10, of * 10);
            prop_assert!(high_10 - low_10 <= high - low + 1e-9);
        }
    }
}
