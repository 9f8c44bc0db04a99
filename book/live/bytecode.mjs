// Run by bytecode.py: this Python, under Node, compiles every source of a folder beside it.
// Without places within a line: nobody sees them where there is no source.

const [pyodide, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pyodide);
const python = await loadPyodide({ env: { PYTHONNODEBUGRANGES: "1" } });
python.mountNodeFS("/made", folder);
const failed = python.runPython(`
import compileall, os, py_compile, warnings

warnings.simplefilter("ignore")
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
" ".join(name for name in sorted(os.listdir("/made")) if not compileall.compile_dir(
    f"/made/{name}", stripdir=f"/made/{name}", prependdir="/lib", maxlevels=99, quiet=1,
    legacy=True, invalidation_mode=mode))
`);
if (failed) throw Error(`not compiled: ${failed}`);
