package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a reader can hold in mind, as the README says of the packages.
const (
	mostFiles   = 25 // of a package, beside its tests
	mostMethods = 6  // of an interface, beside what it embeds
	mostPorts   = 12 // methods of an interface with those of what it embeds
	mostLines   = 60 // of a function
)

// larger is what may be larger than others, and why.
var larger = map[string]int{
	"api.nouns.calls": 120, // a table: every call, on one screen
	"storage/sqldb":   50,  // methods of one database, whose changes write messages, jobs, events, audit log and index in one transaction
}

// house is the source that is built, without tests.
type house struct {
	files      map[string]int // by folder
	interfaces map[string]*ast.InterfaceType
	methods    map[string]int // exported ones, by type
	functions  map[string]int // lines
}

func readHouse(t *testing.T, root string) house {
	t.Helper()
	h := house{map[string]int{}, map[string]*ast.InterfaceType{}, map[string]int{}, map[string]int{}}
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (name[0] == '.' || slices.Contains([]string{"node_modules", "testdata", "data", "bin"}, name)) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		h.files[folder]++
		h.read(set, folder, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h house) read(set *token.FileSet, folder string, file *ast.File) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.TypeSpec:
			if its, ok := node.Type.(*ast.InterfaceType); ok {
				h.interfaces[folder+"."+node.Name.Name] = its
			}
		case *ast.FuncDecl:
			name := node.Name.Name
			if node.Recv != nil {
				of := strings.TrimLeft(types(node.Recv.List[0].Type), "*")
				if ast.IsExported(name) {
					h.methods[folder+"."+of]++
				}
				name = of + "." + name
			}
			h.functions[folder+"."+name] = set.Position(node.End()).Line - set.Position(node.Pos()).Line + 1
		}
		return true
	})
}

// types is the name of a type, as far as it matters here.
func types(expression ast.Expr) string {
	switch its := expression.(type) {
	case *ast.StarExpr:
		return "*" + types(its.X)
	case *ast.Ident:
		return its.Name
	case *ast.IndexExpr:
		return types(its.X)
	case *ast.IndexListExpr:
		return types(its.X)
	case *ast.SelectorExpr:
		return types(its.X) + "." + its.Sel.Name
	}
	return "?"
}

// size counts the methods of an interface, those of what it embeds too.
func (h house) size(name string) int {
	its, n := h.interfaces[name], 0
	if its == nil {
		return 0 // of another module, or a union of types
	}
	folder := name[:strings.LastIndex(name, ".")]
	for _, part := range its.Methods.List {
		switch {
		case len(part.Names) > 0:
			n += len(part.Names)
		default:
			embedded := types(part.Type)
			if !strings.Contains(embedded, ".") {
				n += h.size(folder + "." + embedded)
				continue
			}
			for other := range h.interfaces {
				if at := strings.LastIndex(other, "/"); other[at+1:] == embedded {
					n += h.size(other)
				}
			}
		}
	}
	return n
}

// TestHouse holds the size of packages, interfaces and functions; -v prints the
// largest.
func TestHouse(t *testing.T) {
	h := readHouse(t, filepath.Join("..", ".."))
	own, whole := map[string]int{}, map[string]int{}
	for name, its := range h.interfaces {
		whole[name] = h.size(name)
		for _, part := range its.Methods.List {
			own[name] += len(part.Names)
		}
	}
	for _, rule := range []struct {
		what string
		of   map[string]int
		most int
	}{
		{"files of a package", h.files, mostFiles},
		{"methods of an interface", own, mostMethods},
		{"methods of an interface with those it embeds", whole, mostPorts},
		{"lines of a function", h.functions, mostLines},
	} {
		names := make([]string, 0, len(rule.of))
		for name := range rule.of {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return rule.of[b] - rule.of[a] })
		var largest []string
		for i, name := range names {
			if i < 5 {
				largest = append(largest, fmt.Sprintf("%s %d", name, rule.of[name]))
			}
			if rule.of[name] > max(rule.most, larger[name]) {
				t.Errorf("%s: %s has %d, more than %d", rule.what, name, rule.of[name], rule.most)
			}
		}
		t.Logf("%s: %s", rule.what, strings.Join(largest, ", "))
	}
	t.Logf("exported methods of sqldb.DB: %d", h.methods["storage/sqldb.DB"])
}
