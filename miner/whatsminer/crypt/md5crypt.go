package crypt

import "crypto/md5"

// MD5Crypt is the hash part of the Unix password scheme "$1$salt$hash"
// (Poul-Henning Kamp, FreeBSD 1994): what `openssl passwd -1` prints after the
// third dollar. Salts count up to their eighth byte.
func MD5Crypt(password, salt string) string {
	if len(salt) > 8 {
		salt = salt[:8]
	}
	pw := []byte(password)

	h := md5.New()
	h.Write(pw)
	h.Write([]byte(salt))
	h.Write(pw)
	inner := h.Sum(nil)

	h.Reset()
	h.Write(pw)
	h.Write([]byte("$1$" + salt))
	for n := len(pw); n > 0; n -= md5.Size {
		h.Write(inner[:min(n, md5.Size)])
	}
	for n := len(pw); n > 0; n >>= 1 {
		if n&1 == 1 {
			h.Write([]byte{0})
		} else {
			h.Write(pw[:1])
		}
	}
	sum := h.Sum(nil)

	for round := range 1000 {
		h.Reset()
		if round&1 == 1 {
			h.Write(pw)
		} else {
			h.Write(sum)
		}
		if round%3 != 0 {
			h.Write([]byte(salt))
		}
		if round%7 != 0 {
			h.Write(pw)
		}
		if round&1 == 1 {
			h.Write(sum)
		} else {
			h.Write(pw)
		}
		sum = h.Sum(sum[:0])
	}

	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, 22)
	put := func(v uint, n int) {
		for range n {
			out = append(out, alphabet[v&0x3f])
			v >>= 6
		}
	}
	for _, t := range [...][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		put(uint(sum[t[0]])<<16|uint(sum[t[1]])<<8|uint(sum[t[2]]), 4)
	}
	put(uint(sum[11]), 2)
	return string(out)
}
