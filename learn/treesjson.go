package learn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
)

type treesFile struct {
	Kind    string     `json:"kind"`
	Loss    Loss       `json:"loss"`
	Columns int        `json:"columns"`
	Base    float64    `json:"base"`
	Trees   []treeFile `json:"trees"`
	Sum     string     `json:"sha256"` // of this object with an empty sum
}

// treeFile is a tree with an array for each field of its nodes.
type treeFile struct {
	Column    []int32   `json:"column"`
	Left      []int32   `json:"left"`
	Right     []int32   `json:"right"`
	NaNLeft   []bool    `json:"nan_left"`
	Threshold []float64 `json:"threshold"`
	Value     []float64 `json:"value"`
}

func (f treesFile) sum() (string, error) {
	f.Sum = ""
	b, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// MarshalJSON writes the trees with a checksum.
func (t *Trees) MarshalJSON() ([]byte, error) {
	f := treesFile{Kind: "ballast trees 1", Loss: t.loss, Columns: t.columns, Base: t.base, Trees: []treeFile{}}
	for _, nodes := range t.trees {
		var tf treeFile
		for _, n := range nodes {
			tf.Column, tf.Left, tf.Right = append(tf.Column, n.Column), append(tf.Left, n.Left), append(tf.Right, n.Right)
			tf.NaNLeft, tf.Threshold, tf.Value = append(tf.NaNLeft, n.NaNLeft), append(tf.Threshold, n.Threshold), append(tf.Value, n.Value)
		}
		f.Trees = append(f.Trees, tf)
	}
	var err error
	if f.Sum, err = f.sum(); err != nil {
		return nil, fmt.Errorf("writing trees: %w", err)
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads trees; ErrDamaged when they are not what was written, or
// could not be walked.
func (t *Trees) UnmarshalJSON(b []byte) error {
	var f treesFile
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("reading trees: %w: %w", ErrDamaged, err)
	}
	if f.Kind != "ballast trees 1" || f.Columns < 1 {
		return fmt.Errorf("kind %q with %d columns: %w", f.Kind, f.Columns, ErrDamaged)
	}
	if sum, err := f.sum(); err != nil || sum != f.Sum {
		return fmt.Errorf("the trees do not have their checksum: %w", ErrDamaged)
	}
	fresh := Trees{columns: f.Columns, base: f.Base, loss: f.Loss}
	for k, tf := range f.Trees {
		n := len(tf.Column)
		if n == 0 || len(tf.Left) != n || len(tf.Right) != n || len(tf.NaNLeft) != n || len(tf.Threshold) != n || len(tf.Value) != n {
			return fmt.Errorf("tree %d: %w", k, ErrDamaged)
		}
		nodes := make([]node, n)
		for i := range nodes {
			nd := node{tf.Column[i], tf.Left[i], tf.Right[i], tf.NaNLeft[i], tf.Threshold[i], tf.Value[i]}
			// Children stand behind their parent: a walk comes to an end.
			if nd.Left != 0 && (int(nd.Left) <= i || int(nd.Right) <= i || int(nd.Left) >= n || int(nd.Right) >= n || nd.Column < 0 || int(nd.Column) >= f.Columns) || math.IsNaN(nd.Value) {
				return fmt.Errorf("node %d of tree %d: %w", i, k, ErrDamaged)
			}
			nodes[i] = nd
		}
		fresh.trees = append(fresh.trees, nodes)
	}
	*t = fresh
	return nil
}
