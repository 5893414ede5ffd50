"""Loads functions of a Python file without importing its package: the unmodified code runs in a separate namespace."""

import ast
import pathlib
import sys
import types


def functions(path, names, namespace):
    """Executes the top-level functions, classes and assignments with these names, in file order, with `namespace` as globals."""
    with open(path) as file:
        tree = ast.parse(file.read(), path)

    def is_wanted(node):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return node.name in names
        targets = node.targets if isinstance(node, ast.Assign) else []
        return any(isinstance(t, ast.Name) and t.id in names for t in targets)

    wanted = [node for node in tree.body if is_wanted(node)]
    missing = set(names) - {getattr(n, "name", None) or n.targets[0].id for n in wanted}
    if missing:
        raise LookupError(f"{path} has no {', '.join(sorted(missing))}")
    module = types.ModuleType(f"{pathlib.Path(path).stem}_{len(sys.modules)}")
    sys.modules[module.__name__] = module  # torch.compile looks there for the globals of a function
    module.__dict__.update({name: value for name, value in namespace.items() if not name.startswith("__")})
    exec(compile(ast.Module(wanted, []), path, "exec"), module.__dict__)
    return module
