"""What runs inside Blender: by Blender's own Python, with the standard library, NumPy and bpy alone."""
