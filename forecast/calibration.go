package forecast

import (
	"cmp"
	"slices"

	"ballast/learn"
)

// calibration turns a score into a probability: the share of what came at scores
// like it, rising with the score (isotonic regression: Zadrozny and Elkan, KDD
// 2002), on a straight line between the steps.
type calibration struct{ score, chance []float64 }

// calibrate learns from scores and what came (0 or 1). The share of each step is
// drawn towards all of them by one case, so that none is 0 or 1 for certain.
func calibrate(score, came []float64) calibration {
	order := make([]int, len(score))
	total := 0.0
	for i := range order {
		order[i] = i
		total += came[i]
	}
	if len(order) == 0 {
		return calibration{}
	}
	base := (total + 1) / (float64(len(order)) + 2)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })
	y := make([]float64, len(order))
	for i, o := range order {
		y[i] = came[o]
	}
	learn.Isotonic(y, nil)
	var c calibration
	for i := 0; i < len(y); {
		j, sum := i, 0.0
		for j < len(y) && y[j] == y[i] {
			sum += score[order[j]]
			j++
		}
		n := float64(j - i)
		c.score = append(c.score, sum/n)
		c.chance = append(c.chance, (y[i]*n+base)/(n+1))
		i = j
	}
	learn.Isotonic(c.chance, nil)
	return c
}

// at is the probability at a score.
func (c calibration) at(s float64) float64 {
	n := len(c.score)
	if n == 0 {
		return s
	}
	i, _ := slices.BinarySearch(c.score, s)
	switch i {
	case 0:
		return c.chance[0]
	case n:
		return c.chance[n-1]
	}
	part := 0.0
	if d := c.score[i] - c.score[i-1]; d > 0 {
		part = (s - c.score[i-1]) / d
	}
	return c.chance[i-1] + part*(c.chance[i]-c.chance[i-1])
}
