//! "Did you mean": the nearest of some names by edit distance.

/// Longer names are not compared: a distance costs the product of the lengths, and no field name is so long.
const LONGEST: usize = 64;

/// The names nearest to `wrong`, at most three, nearest first. A third of the letters may differ, and at least two.
#[must_use]
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let letters: Vec<char> = wrong.chars().flat_map(char::to_lowercase).collect();
    if letters.len() > LONGEST {
        return Vec::new();
    }
    let allowed = (letters.len() / 3).max(2);
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| name.len() <= LONGEST * 4)
        .map(|name| (distance(&letters, &name.chars().flat_map(char::to_lowercase).collect::<Vec<_>>()), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// The nearest names, or all of them in order when none is near.
pub(crate) fn nearest_or_all<'a>(wrong: &str, names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let near = nearest(wrong, names.clone());
    if near.is_empty() { names.map(str::to_owned).collect() } else { near }
}

/// Optimal string alignment distance: insert, delete, replace, swap of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut rows = vec![vec![0; width]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..width).collect();
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            let change = rows[i][j] + usize::from(x != y);
            let mut best = change.min(rows[i][j + 1] + 1).min(rows[i + 1][j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            rows[i + 1][j + 1] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_found_and_strangers_are_not() {
        let names = ["replicas", "requirements", "rollout", "dependsOn"];
        assert_eq!(nearest("replcias", names), ["replicas"]);
        assert_eq!(nearest("dependson", names), ["dependsOn"]);
        assert_eq!(nearest("requirement", names), ["requirements"]);
        assert_eq!(nearest("colour", names), Vec::<String>::new());
        assert_eq!(nearest(&"x".repeat(10_000), names), Vec::<String>::new());
    }
}
