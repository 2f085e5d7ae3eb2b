use std::collections::BTreeSet;

use hearth_protocol::{Rng, SeededRng};

use super::*;

/// A random auth graph: each event cites some earlier ones.
fn random_graph(seed: u64, size: usize) -> Vec<Vec<usize>> {
    let rng = SeededRng::new(seed);
    let below = |limit: usize| {
        let mut byte = [0; 2];
        rng.fill(&mut byte);
        usize::from(u16::from_be_bytes(byte)) % limit
    };
    (0..size)
        .map(|n| {
            if n == 0 {
                vec![]
            } else {
                (0..=below(3)).map(|_| below(n)).collect::<BTreeSet<_>>().into_iter().collect()
            }
        })
        .collect()
}

fn ancestors(graph: &[Vec<usize>], from: &[usize]) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open = from.to_vec();
    while let Some(n) = open.pop() {
        if seen.insert(n) {
            open.extend(&graph[n]);
        }
    }
    seen
}

#[test]
fn differences_equal_those_of_the_plain_graph() {
    for seed in 0..200 {
        let graph = random_graph(seed, 40);
        let (mut index, mut places, mut taken, mut chains) = (ChainIndex::default(), Vec::new(), BTreeSet::new(), 0);
        for (n, cited) in graph.iter().enumerate() {
            let auth: Vec<ChainPlace> = cited.iter().map(|m| places[*m]).collect();
            let followed = |place: ChainPlace| taken.contains(&ChainPlace { sequence: place.sequence + 1, ..place });
            let (place, links) = place_event(&auth, followed, &mut chains);
            assert!(taken.insert(place), "a place is given once");
            index.add(place, EventNum(u32::try_from(n).unwrap()), links);
            places.push(place);
        }
        let sets = [vec![39, 20], vec![38, 21], vec![30]];
        let reaches: Vec<Reach> = sets.iter().map(|set| index.reach(set.iter().map(|n| places[*n]))).collect();
        let plain: Vec<BTreeSet<usize>> = sets.iter().map(|set| ancestors(&graph, set)).collect();
        let common: BTreeSet<usize> = plain.iter().skip(1).fold(plain[0].clone(), |all, set| &all & set);
        let expected: Vec<Vec<EventNum>> = plain
            .iter()
            .map(|set| (set - &common).into_iter().map(|n| EventNum(u32::try_from(n).unwrap())).collect())
            .collect();
        assert_eq!(index.differences(&reaches), expected, "seed {seed}");
    }
}
