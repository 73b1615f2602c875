// Package codegen takes the place of pulumi-hcl's, which the schema generator links to translate examples.
// No examples are translated here, and that module is not needed for anything else.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

var errLeftOut = errors.New("examples are not converted in this build")

// Option has the upstream name; there is nothing to choose.
type Option func()

// SkipRequiredProvidersVersion has the upstream signature.
func SkipRequiredProvidersVersion() Option { return nil }

// GenerateProgram has the upstream signature and always fails.
func GenerateProgram(*pcl.Program, ...Option) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errLeftOut
}
