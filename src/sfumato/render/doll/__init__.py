"""The built-in figure, part by part: its measures, bones, head, hair, hands and clothes, all made by arithmetic."""
