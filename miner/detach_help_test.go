package miner_test

import (
	"fmt"
	"reflect"
	"unsafe"
)

func unsafeString(b []byte) string { return unsafe.String(&b[0], len(b)) }

// fill sets every string below v to one of its own, and every list to one item.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(string([]byte("a word")))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}

// strs is where each string below v has its bytes.
func strs(v reflect.Value) map[string]unsafe.Pointer {
	out := map[string]unsafe.Pointer{}
	var walk func(v reflect.Value, at string)
	walk = func(v reflect.Value, at string) {
		switch v.Kind() {
		case reflect.String:
			if s := v.String(); s != "" {
				out[at] = unsafe.Pointer(unsafe.StringData(s))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), fmt.Sprintf("%s[%d]", at, i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i), at+"."+v.Type().Field(i).Name)
				}
			}
		}
	}
	walk(v, "")
	return out
}
