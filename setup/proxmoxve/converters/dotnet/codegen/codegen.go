// Package codegen takes the place of pulumi-dotnet's, which the schema generator links to translate examples
// and to describe a .NET package. Neither is done here, and that module is not needed for anything else.
package codegen

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

var errLeftOut = errors.New("examples are not converted in this build")

// GenerateProgram has the upstream signature and always fails.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errLeftOut
}

// CSharpPackageInfo holds the fields that the schema generator fills in.
type CSharpPackageInfo struct {
	Compatibility                string
	PackageReferences            map[string]string
	Namespaces                   map[string]string
	RootNamespace                string
	DictionaryConstructors       bool
	ProjectReferences            []string
	LiftSingleValueMethodReturns bool
	RespectSchemaVersion         bool
}

// CSharpPropertyInfo is named by the schema generator.
type CSharpPropertyInfo struct{ Name string }

// CSharpResourceInfo is named by the schema generator.
type CSharpResourceInfo struct{ Name string }
