// Package complement pins the version of upstream's conformance tests, which `complement/run` runs by their path.
//
// Importing what they import is what keeps their modules in go.mod and go.sum.
package complement

import (
	_ "github.com/matrix-org/complement"
	_ "github.com/matrix-org/complement/federation"
	_ "github.com/matrix-org/complement/helpers"
	_ "github.com/matrix-org/complement/match"
	_ "github.com/matrix-org/complement/must"
	_ "github.com/matrix-org/complement/runtime"
	_ "github.com/matrix-org/complement/should"
)
