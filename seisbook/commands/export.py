"""The command `seisbook export`: a trained model as an ONNX file."""

from seisbook.commands.arguments import named


def add_options(parser) -> None:
    """Give a parser the options of the command."""
    parser.description = (
        "Write a robust model as an ONNX file, which needs neither PyTorch nor this library. It is compared with the "
        "model on simulated events of its network, and not written if they disagree."
    )
    parser.add_argument("--model", required=True, type=named, help="such as data/models/colombia-robust-random-0")
    parser.add_argument("--out", required=True, type=named, metavar="FILE.onnx")
    parser.set_defaults(command=_export)


def _export(arguments):
    from seisbook.studies import onnx_files

    path, agreement = onnx_files.write(arguments.model, arguments.out)
    print(f"{path}\n{agreement}")
