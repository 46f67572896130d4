package plant

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// RunAll runs many sources at once until ctx ends and hands their readings to
// emit one at a time. A source that can never work does not stop the others;
// what it said is in the error at the end.
func RunAll(ctx context.Context, sources []Source, emit func(Reading)) error {
	var mu sync.Mutex
	one := func(r Reading) {
		mu.Lock()
		defer mu.Unlock()
		emit(r)
	}
	errs := make([]error, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			if err := s.Run(ctx, one); err != nil && ctx.Err() == nil {
				errs[i] = fmt.Errorf("running source %s: %w", s.Name(), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}
