package sqlite

import "testing"

// Pragma reads a setting of the connection that writes.
func (s *Store) Pragma(t testing.TB, name string) (value string) {
	t.Helper()
	if err := s.Writer().QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
